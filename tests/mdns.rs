//! mDNS on a LAN of two hosts: network namespaces joined by a cable. Needs root and `ip`; where it
//! cannot have them the test says so and passes. All traffic stays within its own namespaces.
#![cfg(all(feature = "net", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Config, Event, Node, Topic};
use tokio::io::AsyncBufReadExt;

const CHAT: Topic<String> = Topic::new("chat");

/// Name of the network that a child process takes part in.
const NETWORK: &str = "GOSSIP_MESH_TEST_NETWORK";

/// Nothing here takes longer, unless it never happens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two namespaces with a cable between them, gone when dropped.
struct Lan {
    hosts: [String; 2],
}

impl Lan {
    /// One per test: `number` keeps tests of this process apart, its id those of others.
    fn lay(number: u8) -> Result<Self, String> {
        let id = std::process::id();
        let lan = Self { hosts: ["a", "b"].map(|end| format!("gm-{id}-{number}-{end}")) };
        for host in &lan.hosts {
            ip(&format!("netns add {host}"))?;
            ip(&format!("-n {host} link set lo up"))?;
        }
        let [a, b] = &lan.hosts;
        ip(&format!("-n {a} link add eth0 type veth peer name eth0 netns {b}"))?;
        for (host, address) in [(a, "10.99.0.1/24"), (b, "10.99.0.2/24")] {
            ip(&format!("-n {host} address add {address} dev eth0"))?;
            ip(&format!("-n {host} link set eth0 up"))?;
        }
        Ok(lan)
    }

    /// A node with nothing but the preset `lan`, on one of the hosts.
    fn node(&self, host: usize, network: &str) -> Process {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.hosts[host]])
            .arg(program)
            .args(["a_node_in_a_process_of_its_own", "--exact", "--nocapture"])
            .env(NETWORK, network)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = sync_channel(4_096);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // What else is printed is the test harness talking to itself.
                let Some((_, line)) = line.split_once("@ ") else { continue };
                if tell.send(line.to_owned()).is_err() {
                    return;
                }
            }
        });
        Process { child, lines, told: Vec::new() }
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for host in &self.hosts {
            // Takes its end of the cable with it. It is not there when laying it failed.
            let _ = ip(&format!("netns delete {host}"));
        }
    }
}

fn ip(words: &str) -> Result<(), String> {
    let run = Command::new("ip").args(words.split(' ')).output();
    let output = run.map_err(|error| format!("no `ip`: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    output.status.success().then_some(()).ok_or_else(|| format!("`ip {words}`: {said}"))
}

/// A node in its process, ended when dropped.
struct Process {
    child: Child,
    lines: Receiver<String>,
    told: Vec<String>,
}

impl Process {
    /// The first thing it told of this kind.
    fn first(&mut self, what: &str) -> String {
        loop {
            if let Some(rest) = self.told.iter().find_map(|line| line.strip_prefix(what)) {
                return rest.trim().to_owned();
            }
            let line = self.lines.recv_timeout(PATIENCE);
            self.told.push(line.unwrap_or_else(|_| panic!("a node never told `{what}`")));
        }
    }

    /// How often it has dialled.
    fn dials(&mut self) -> u64 {
        self.told.retain(|line| !line.starts_with("dials"));
        self.child.stdin.as_mut().unwrap().write_all(b"dials\n").unwrap();
        self.first("dials").parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test by itself: the tests below run it in a namespace, and it tells what happens to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_in_a_process_of_its_own() {
    let Ok(network) = std::env::var(NETWORK) else { return };
    let node = Node::builder().config(Config::lan()).network(network).spawn().await.unwrap();
    let (mut events, mut chat) = (node.events(), node.subscribe(CHAT).await.unwrap());
    println!("@ id {}", node.id());
    let mut orders = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let topic = node.topic(CHAT);
    let mut greeting = std::pin::pin!(async {
        topic.wait_for_reader().await.unwrap();
        topic.publish(&format!("hello from {}", node.id())).await.unwrap();
        std::future::pending::<()>().await;
    });
    loop {
        tokio::select! {
            () = &mut greeting => {}
            Some(line) = chat.next() => println!("@ heard {}", line.value),
            Some(event) = events.next() => if let Event::Refused { .. } = event {
                println!("@ refused");
            },
            order = orders.next_line() => match order.unwrap() {
                Some(_) => {
                    let stats = node.overview().await.unwrap().stats;
                    println!("@ dials {}", stats.discovery.dials);
                }
                None => return,
            },
        }
    }
}

#[test]
fn nodes_on_a_lan_meet_without_any_address_and_strangers_there_are_left_alone() {
    let lan = match Lan::lay(1) {
        Ok(lan) => lan,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    // On each host one node of each network.
    let homes = [("red", 0), ("red", 1), ("blue", 0), ("blue", 1)];
    let mut nodes: Vec<_> = homes.iter().map(|(network, host)| lan.node(*host, network)).collect();
    let ids: Vec<String> = nodes.iter_mut().map(|node| node.first("id")).collect();
    // All meet their own, and strangers too.
    for node in &mut nodes {
        node.first("heard");
        node.first("refused");
    }
    // From now on nobody dials anybody: for longer than the first waits of the backoff together,
    // which start at 200 ms and double.
    let begun: Vec<u64> = nodes.iter_mut().map(Process::dials).collect();
    std::thread::sleep(Duration::from_secs(5));
    let now: Vec<u64> = nodes.iter_mut().map(Process::dials).collect();
    let again = now.iter().zip(&begun).map(|(now, begun)| now - begun).max().unwrap();
    assert!(again <= 2, "strangers are dialled again and again: {begun:?}, then {now:?}");
    for (one, other) in [(0, 1), (1, 0), (2, 3), (3, 2)] {
        let heard = nodes[one].told.iter().filter(|line| line.starts_with("heard"));
        let expected = format!("heard hello from {}", ids[other]);
        assert_eq!(heard.collect::<Vec<_>>(), [&expected], "its own network, once");
    }
}
