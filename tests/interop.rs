//! Programs of other languages at the door. Where their tools are missing, a test says so and
//! passes.
#![cfg(feature = "net")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt;
use gossip_mesh::{Config, Node, Raw, Subscription, Topic};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const NEWS: Topic<String, Raw> = Topic::new("news").foreign();

/// What a test may take of a program that runs already.
const PATIENCE: Duration = Duration::from_secs(30);

/// What fetching a foreign library may take.
const INSTALL: Duration = Duration::from_secs(120);

/// Two members; the first has a door, the second is where messages come from and arrive.
struct Members {
    door: Node,
    inner: Node,
    news: Subscription<String, Raw>,
}

impl Members {
    async fn start() -> Self {
        let mut config = Config::lab();
        let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws"];
        config.door.listen = listen.map(|address| address.parse().unwrap()).to_vec();
        config.door.topics = BTreeSet::from(["news".to_owned()]);
        let door = Node::builder().config(config).spawn().await.unwrap();
        let inner = Node::builder()
            .config(Config::lab())
            .bootstrap(door.addresses().await.unwrap()[0].to_string())
            .spawn()
            .await
            .unwrap();
        let news = inner.subscribe(NEWS).await.unwrap();
        let meeting = async {
            door.topic(NEWS).wait_for_reader().await.unwrap();
            let hello = "hello".to_owned();
            let within = Duration::from_millis(500);
            while !door
                .publish(NEWS, &hello)
                .confirmed(within)
                .await
                .unwrap()
                .report
                .missing
                .is_empty()
            {}
        };
        timeout(PATIENCE, meeting).await.expect("the members meet");
        Self { door, inner, news }
    }

    /// Where a foreign program dials: over websocket, or over plain TCP.
    async fn address(&self, websocket: bool) -> String {
        let mut door = self.door.overview().await.unwrap().door.into_iter();
        let fits =
            |address: &gossip_mesh::Multiaddr| address.to_string().ends_with("/ws") == websocket;
        format!("{}/p2p/{}", door.find(fits).unwrap(), self.door.id())
    }
}

/// A foreign program: each line it is told it publishes, each message it hears is a line.
struct Program {
    /// Ended with this value.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it was there a moment ago");
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { _child: child, input, output: BufReader::new(output).lines() }
    }

    async fn say(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> (String, String) {
        let line = timeout(PATIENCE, self.output.next_line()).await.expect("a line in time");
        let line = line.unwrap().expect("the program runs");
        let (who, what) = line.split_once(' ').expect("two words");
        (who.to_owned(), what.to_owned())
    }
}

/// Publishes and receives on both sides, each message once.
async fn talk(members: &mut Members, program: &mut Program) {
    let (ready, id) = program.hear().await;
    assert_eq!(ready, "ready");
    // The door may not know yet that the program listens, and says nothing twice.
    let mut greeting = 0;
    let (author, mut heard) = loop {
        greeting += 1;
        members.inner.publish(NEWS, &format!("hello {greeting}")).await.unwrap();
        if let Ok(heard) = timeout(Duration::from_millis(300), program.hear()).await {
            break heard;
        }
    };
    assert_eq!(author, members.door.id().to_string());
    while heard != format!("hello {greeting}") {
        heard = program.hear().await.1;
    }
    for number in 0..20 {
        members.inner.publish(NEWS, &format!("apple {number}")).await.unwrap();
        program.say(&format!("pear {number}")).await;
    }
    let (mut apples, mut pears) = (BTreeSet::new(), BTreeSet::new());
    while apples.len() < 20 {
        let (author, what) = program.hear().await;
        assert_eq!(author, members.door.id().to_string(), "the door says it, and no echo");
        assert!(apples.insert(what), "came twice");
    }
    while pears.len() < 20 {
        let next = timeout(PATIENCE, members.news.next()).await;
        let delivery = next.expect("a message in time").unwrap();
        if delivery.value.starts_with("hello") {
            continue;
        }
        assert_eq!(delivery.foreign_author.as_ref(), Some(&id));
        assert!(pears.insert(delivery.value), "came twice");
    }
    let numbered = |what| (0..20).map(|number| format!("{what} {number}")).collect();
    assert_eq!((apples, pears), (numbered("apple"), numbered("pear")));
}

/// A folder with js-libp2p in it, or why there is none.
async fn javascript() -> Result<PathBuf, String> {
    run(Command::new("node").arg("--version"), PATIENCE).await?;
    let quiet = ["install", "--no-audit", "--no-fund", "--no-package-lock"];
    let mut npm = Command::new("npm");
    install("js", "package.json", "peer.mjs", [npm.args(quiet)]).await
}

/// A folder with py-libp2p in it, or why there is none.
async fn python() -> Result<PathBuf, String> {
    let (mut venv, mut pip) = (Command::new("python3"), Command::new("venv/bin/pip"));
    venv.args(["-m", "venv", "venv"]);
    pip.args(["install", "--quiet", "--requirement", "requirements.txt"]);
    install("py", "requirements.txt", "peer.py", [&mut venv, &mut pip]).await
}

/// Runs the commands in a folder with what the list names, unless it was there before.
async fn install<const N: usize>(
    language: &str,
    list: &str,
    program: &str,
    commands: [&mut Command; N],
) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(language);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(language);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(source.join(program), folder.join(program)).unwrap();
    let (wanted, installed) = (std::fs::read(source.join(list)).unwrap(), folder.join("installed"));
    if std::fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(folder);
    }
    std::fs::write(folder.join(list), &wanted).unwrap();
    for command in commands {
        run(command.current_dir(&folder), INSTALL).await?;
    }
    std::fs::write(installed, wanted).unwrap();
    Ok(folder)
}

/// Runs a program to its end; what went wrong, otherwise.
async fn run(command: &mut Command, within: Duration) -> Result<(), String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    match timeout(within, running).await {
        Err(_) => Err(format!("{name} took more than {within:?}")),
        Ok(Err(error)) => Err(format!("{name} cannot run: {error}")),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn js_libp2p_publishes_and_receives_at_the_door_over_tcp_and_websocket() {
    let folder = match javascript().await {
        Ok(folder) => folder,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let mut members = Members::start().await;
    for websocket in [false, true] {
        let address = members.address(websocket).await;
        let mut node = Command::new("node");
        node.current_dir(&folder).args(["--experimental-websocket", "peer.mjs", "news", &address]);
        talk(&mut members, &mut Program::start(&mut node)).await;
    }
    members.inner.leave().await.unwrap();
    members.door.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn py_libp2p_publishes_and_receives_at_the_door_over_tcp_and_websocket() {
    let folder = match python().await {
        Ok(folder) => folder,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let mut members = Members::start().await;
    for websocket in [false, true] {
        let address = members.address(websocket).await;
        let mut python = Command::new("venv/bin/python");
        python.current_dir(&folder).args(["peer.py", "news", &address]);
        talk(&mut members, &mut Program::start(&mut python)).await;
    }
    members.inner.leave().await.unwrap();
    members.door.leave().await.unwrap();
}
