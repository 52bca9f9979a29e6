//! A mesh of real nodes, and all that each of them told since its start.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use gossip_mesh::{Config, Event, Fault, FaultEffect, Finding, Node, NodeId, Overview, Phase};
use tokio::time::{Instant, timeout};

use crate::nodes::{self, address, key};

/// Waits for what takes a verdict, a backoff and a way back in.
pub const LONG: Duration = Duration::from_secs(40);

/// The wait between two looks at what has no event.
const LOOK: Duration = Duration::from_millis(10);

/// A node, and all its events so far.
pub struct Member {
    pub node: Node,
    told: Arc<Mutex<Vec<(Instant, Event)>>>,
}

/// Members that know each other. Member `n` has `key(n + 1)`.
pub struct Mesh {
    pub members: Vec<Member>,
    config: Config,
}

/// A lab whose links can be cut, and whose nodes soon find out and try again.
pub fn fragile() -> Config {
    let mut config = nodes::lab();
    config.faults = true;
    config.link.hello_timeout = Duration::from_millis(500);
    config.link.handshake_timeout = Duration::from_millis(500);
    config
}

impl Member {
    pub async fn spawn(number: usize, config: Config) -> Self {
        let seed = u8::try_from(number + 1).unwrap();
        let node = Node::builder().config(config).key(key(seed)).name(number.to_string());
        let node = node.spawn().await.expect("a node of the lab starts");
        let told = Arc::new(Mutex::new(Vec::new()));
        let (mut events, log) = (node.events(), Arc::clone(&told));
        // Ends with the node.
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                log.lock().unwrap().push((Instant::now(), event));
            }
        });
        Self { node, told }
    }

    pub fn id(&self) -> NodeId {
        self.node.id()
    }

    pub async fn overview(&self) -> Overview {
        self.node.overview().await.unwrap()
    }

    /// How many events it told so far.
    pub fn place(&self) -> usize {
        self.told.lock().unwrap().len()
    }

    /// What it found out since then, with the times.
    pub fn found_since(&self, place: usize) -> Vec<(Instant, Finding)> {
        let told = self.told.lock().unwrap();
        let findings = told.iter().skip(place).filter_map(|(at, event)| match event {
            Event::Membership(finding) => Some((*at, finding.clone())),
            _ => None,
        });
        findings.collect()
    }

    /// What it found out, from its start.
    pub fn found(&self) -> Vec<Finding> {
        self.found_since(0).into_iter().map(|(_, finding)| finding).collect()
    }

    /// The first finding since then that `wanted` takes, with its time.
    pub async fn finds<T>(
        &self,
        what: &str,
        place: usize,
        mut wanted: impl FnMut(&Finding) -> Option<T>,
    ) -> (Instant, T) {
        let look = async {
            loop {
                let found = self.found_since(place);
                let first = found.iter().find_map(|(at, it)| wanted(it).map(|it| (*at, it)));
                match first {
                    Some(first) => return first,
                    None => tokio::time::sleep(LOOK).await,
                }
            }
        };
        timeout(LONG, look).await.unwrap_or_else(|_| {
            let found = self.found_since(place);
            panic!("{} never found {what}, but: {found:#?}", self.node.name())
        })
    }

    /// Waits for the verdict about a node; gives its time and what it says.
    pub async fn sees_down(&self, subject: NodeId, place: usize) -> (Instant, Finding) {
        let what = format!("{subject} down");
        let down = |it: &Finding| {
            matches!(it, Finding::Down { node, .. } if *node == subject).then(|| it.clone())
        };
        self.finds(&what, place, down).await
    }
}

impl Mesh {
    /// `count` members that agree on one another.
    pub async fn of(count: usize, config: Config) -> Self {
        let mut mesh = Self { members: vec![Member::spawn(0, config.clone()).await], config };
        let joining = mesh.joining().await;
        let others = (1..count).map(|number| Member::spawn(number, joining.clone()));
        mesh.members.extend(join_all(others).await);
        mesh.agrees().await;
        mesh
    }

    /// These members.
    pub fn with(members: Vec<Member>, config: Config) -> Self {
        Self { members, config }
    }

    /// Ends all of them without a good-bye, and waits until they have ended.
    pub async fn stop(self) {
        let ended: Vec<_> = self.members.iter().map(|member| member.node.events()).collect();
        drop(self.members);
        let all = join_all(ended.into_iter().map(|events| events.count()));
        timeout(LONG, all).await.expect("a node without a handle ends");
    }

    /// The settings of one who knows all that run.
    pub async fn joining(&self) -> Config {
        let addresses = self.members.iter().map(|member| address(&member.node));
        Config { bootstrap: join_all(addresses).await, ..self.config.clone() }
    }

    pub fn id(&self, number: usize) -> NodeId {
        key(u8::try_from(number + 1).unwrap()).id()
    }

    /// Waits until all that run are active, and agree on all that run.
    pub async fn agrees(&self) {
        let look = async {
            while !self.is_whole().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        if timeout(LONG, look).await.is_err() {
            for member in &self.members {
                let it = member.overview().await;
                let found = member.found();
                let last = found.get(found.len().saturating_sub(12)..);
                eprintln!("{}: {:?} {}/{}: {last:#?}", it.name, it.phase, it.active, it.agreed);
            }
            panic!("{} members do not agree within {LONG:?}", self.members.len());
        }
    }

    async fn is_whole(&self) -> bool {
        let count = u32::try_from(self.members.len()).unwrap();
        let overviews = join_all(self.members.iter().map(Member::overview)).await;
        overviews.iter().all(|it| (it.phase, it.active, it.agreed) == (Phase::Active, count, count))
    }

    /// Ends a member without a good-bye: its connections just end.
    pub fn kill(&mut self, number: usize) {
        drop(self.members.remove(number));
    }

    /// Cuts the links between two members, both ways, or only what `a` sends to `b`.
    pub async fn cut(&self, a: usize, b: usize, one_way: bool) {
        let fault = Fault::with(self.id(b), FaultEffect::Cut);
        let fault = if one_way { fault.outbound() } else { fault };
        self.members[a].node.fault(fault).await.unwrap();
    }

    /// Cuts all links between the first `count` members and the others.
    pub async fn split(&self, count: usize) {
        for a in 0..count {
            for b in count..self.members.len() {
                self.cut(a, b, false).await;
            }
        }
    }

    /// Nothing is cut any more.
    pub async fn heal(&self) {
        for member in &self.members {
            member.node.fault(Fault::with_all(FaultEffect::Clear)).await.unwrap();
        }
    }

    /// Fails when any member told something like this.
    #[track_caller]
    pub fn nobody_found(&self, what: &str, mut unwanted: impl FnMut(&Finding) -> bool) {
        for member in &self.members {
            let found = member.found();
            let bad = found.iter().any(&mut unwanted);
            assert!(!bad, "{} found {what}: {found:#?}", member.node.name());
        }
    }

    /// Fails when anybody was put out or went down.
    #[track_caller]
    pub fn nobody_went_down(&self) {
        self.nobody_found("somebody down", is_fall);
    }

    pub async fn end(self) {
        nodes::leave(self.members.into_iter().map(|member| member.node)).await;
    }
}

/// Somebody stopped being a member, not by its own will.
pub fn is_fall(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::Down { .. } | Finding::GoingDown { .. } | Finding::TakedownReceived { .. }
    )
}
