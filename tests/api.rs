//! The local API, spoken to as a script would.
#![cfg(feature = "api")]
#![cfg(test)]

use std::time::Duration;

use gossip_mesh::api::{MemberView, MessageView, NodeView, PublishReply};
use gossip_mesh::{Config, Node, Story};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

async fn node_with(config: Config) -> (tempfile::TempDir, Node) {
    let data = tempfile::tempdir().unwrap();
    let node = Node::builder().config(config).data(data.path()).spawn().await.unwrap();
    (data, node)
}

/// One request over one connection, as text; status line and body.
async fn say(
    mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin,
    verb: &str,
    path: &str,
    more: &str,
    body: &str,
) -> (u16, String) {
    let length = body.len();
    let request = format!(
        "{verb} {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n{more}content-length: \
         {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

async fn ask(data: &tempfile::TempDir, verb: &str, path: &str, body: &str) -> (u16, String) {
    let stream = UnixStream::connect(data.path().join("api.sock")).await.unwrap();
    say(stream, verb, path, "", body).await
}

#[tokio::test]
async fn a_script_publishes_and_reads_over_the_socket() {
    let (data, node) = node_with(Config::lab()).await;
    let _reading =
        node.subscribe::<Vec<u8>, gossip_mesh::Raw>(gossip_mesh::Topic::new("news")).await.unwrap();

    let (status, body) = ask(&data, "GET", "/v1/node", "").await;
    let view: NodeView = serde_json::from_str(&body).unwrap();
    assert_eq!((status, view.id, view.pid), (200, node.id(), std::process::id()));

    let request = r#"{"topic":"news","text":"apple","confirm_ms":1000}"#;
    let (status, body) = ask(&data, "POST", "/v1/publish", request).await;
    let reply: PublishReply = serde_json::from_str(&body).unwrap();
    assert_eq!((status, reply.report.unwrap().holders), (200, vec![node.id()]));

    let bytes = r#"{"topic":"news","payload_base64":"/wA="}"#;
    assert_eq!(ask(&data, "POST", "/v1/publish", bytes).await.0, 200);

    let query = r#"{"which":"unread"}"#;
    let (_, body) = ask(&data, "POST", "/v1/messages", query).await;
    let kept: Vec<MessageView> = serde_json::from_str(&body).unwrap();
    let payloads: Vec<Vec<u8>> = kept.iter().map(MessageView::payload).collect();
    assert_eq!(payloads, [b"apple".to_vec(), vec![0xff, 0]]);
    assert_eq!(ask(&data, "POST", "/v1/messages", query).await.1, "[]");
    node.leave().await.unwrap();
}

#[tokio::test]
async fn the_header_traceparent_goes_with_a_message() {
    const CONTEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (data, node) = node_with(Config::lab()).await;
    let _reading =
        node.subscribe::<Vec<u8>, gossip_mesh::Raw>(gossip_mesh::Topic::new("news")).await.unwrap();
    // What is no context is passed over, as the standard wants it.
    for header in [CONTEXT, "00-nonsense", ""] {
        let stream = UnixStream::connect(data.path().join("api.sock")).await.unwrap();
        let more = format!("traceparent: {header}\r\n");
        let publish = r#"{"topic":"news","text":"apple","compressed":true}"#;
        assert_eq!(say(stream, "POST", "/v1/publish", &more, publish).await.0, 200);
    }
    let (_, body) = ask(&data, "POST", "/v1/messages", "{}").await;
    let kept: Vec<MessageView> = serde_json::from_str(&body).unwrap();
    let contexts: Vec<_> = kept.iter().map(|message| message.traceparent).collect();
    assert_eq!(contexts, [CONTEXT.parse().ok(), None, None]);
    assert!(body.contains(CONTEXT), "{body}");
    node.leave().await.unwrap();
}

#[tokio::test]
async fn a_stream_brings_messages_as_they_come() {
    let (data, node) = node_with(Config::lab()).await;
    let mut stream = UnixStream::connect(data.path().join("api.sock")).await.unwrap();
    let request = "GET /v1/subscribe?topic=a%2Fb&topic=c&own=true HTTP/1.1\r\nhost: node\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = String::new();
    read_until(&mut stream, &mut seen, "text/event-stream").await;
    let publish = r#"{"topic":"a/b","text":"apple"}"#;
    assert_eq!(ask(&data, "POST", "/v1/publish", publish).await.0, 200);
    read_until(&mut stream, &mut seen, r#""text":"apple""#).await;
    node.leave().await.unwrap();
    // The stream ends with the node.
    let ended = stream.read_to_string(&mut seen);
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
}

async fn read_until(stream: &mut UnixStream, seen: &mut String, wanted: &str) {
    let reading = async {
        let mut buffer = [0; 4096];
        while !seen.contains(wanted) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "the stream ended early: {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    };
    tokio::time::timeout(Duration::from_secs(5), reading).await.unwrap();
}

#[tokio::test]
async fn mistakes_are_told_in_one_sentence() {
    let mut config = Config::lab();
    config.topic.max_message_bytes = 8;
    let (data, node) = node_with(config).await;
    for (path, body, status, words) in [
        ("/v1/publish", "{", 400, "body"),
        ("/v1/publish", r#"{"topic":"t"}"#, 400, "payload"),
        ("/v1/publish", r#"{"topic":"t","text":"123456789"}"#, 400, "9 bytes"),
        ("/v1/publish", r#"{"topic":"","text":"1"}"#, 400, "topic name"),
        ("/v1/publish", r#"{"topic":"t","text":"1","relays":0}"#, 400, "relays"),
        ("/v1/connect", r#"{"address":"nowhere"}"#, 400, "nowhere"),
        ("/v1/connect", r#"{"address":"/ip4/127.0.0.1/tcp/1"}"#, 409, "nobody answers"),
        ("/v1/neighbours", r#"{"neighbours":{}}"#, 400, "topology"),
        ("/v1/faults", r#"[{"peer":"all"}]"#, 400, "direction"),
        (
            "/v1/faults",
            r#"[{"peer":"all","direction":"both","effect":"cut"}]"#,
            403,
            "faults = true",
        ),
        ("/v1/nothing", "", 404, "path"),
    ] {
        let (got, answer) = ask(&data, "POST", path, body).await;
        assert!(got == status && answer.contains(words), "{path} {body}: {got} {answer}");
    }
    node.leave().await.unwrap();
}

#[tokio::test]
async fn a_script_sees_who_is_a_member_why_and_what_was_recorded() {
    let (data, node) = node_with(Config::lab()).await;
    let (status, body) = ask(&data, "GET", "/v1/members", "").await;
    let members: Vec<MemberView> = serde_json::from_str(&body).unwrap();
    assert_eq!((status, members.len()), (200, 1));
    assert_eq!((members[0].id, members[0].is_this_node), (node.id(), true));
    let (status, body) = ask(&data, "GET", &format!("/v1/why/{}", node.id()), "").await;
    let story: Story = serde_json::from_str(&body).unwrap();
    assert_eq!((status, story.node, story.seen_by), (200, node.id(), node.id()));
    let (status, body) = ask(&data, "GET", "/v1/why/nobody", "").await;
    assert!(status == 400 && body.contains("nobody"), "{body}");
    node.leave().await.unwrap();

    let mut config = Config::lab();
    config.recorder.max_bytes = 0;
    let (data, node) = node_with(config).await;
    let (status, body) = ask(&data, "GET", "/v1/recording", "").await;
    assert!(status == 409 && body.contains("recorder.max_bytes"), "{body}");
    node.leave().await.unwrap();
}

#[tokio::test]
async fn tcp_needs_the_token_and_the_description_names_every_path() {
    let mut config = Config::lab();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    config.api.tcp = Some(free);
    let (data, node) = node_with(config).await;
    let token = std::fs::read_to_string(data.path().join("api.token")).unwrap();
    for (header, status) in [
        (String::new(), 401),
        ("authorization: Bearer wrong\r\n".to_owned(), 401),
        (format!("authorization: Bearer {token}\r\n"), 200),
    ] {
        let stream = TcpStream::connect(free).await.unwrap();
        assert_eq!(say(stream, "GET", "/v1/peers", &header, "").await.0, status);
    }
    let (_, description) = ask(&data, "GET", "/v1/openapi.json", "").await;
    for path in [
        "node",
        "peers",
        "members",
        "why/{node}",
        "metrics",
        "recording",
        "publish",
        "messages",
        "subscribe",
        "events",
        "connect",
        "faults",
        "disconnect",
        "forget",
        "neighbours",
        "leave",
    ] {
        assert!(description.contains(&format!("\"/v1/{path}\"")), "{path} is not described");
    }
    node.leave().await.unwrap();
}

#[tokio::test]
async fn leaving_over_the_socket_is_answered_and_the_socket_goes() {
    let (data, node) = node_with(Config::lab()).await;
    assert_eq!(ask(&data, "POST", "/v1/leave", "").await.0, 200);
    tokio::time::timeout(Duration::from_secs(5), node.stopped()).await.unwrap();
    assert!(!data.path().join("api.sock").exists());
}

#[tokio::test]
async fn an_open_api_does_not_keep_a_dropped_node_alive() {
    let (data, node) = node_with(Config::lab()).await;
    let socket = data.path().join("api.sock");
    drop(node);
    let gone = async {
        while socket.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_touched() {
    let data = tempfile::tempdir().unwrap();
    let precious = data.path().join("precious.txt");
    std::fs::write(&precious, "all I have").unwrap();
    let mut config = Config::lab();
    config.api.socket = Some(precious.clone());
    let Err(error) = Node::builder().config(config).spawn().await else { panic!("it started") };
    assert!(error.to_string().contains("not a socket"), "{error}");
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "all I have");
}

#[tokio::test]
async fn who_connects_over_tcp_and_says_nothing_is_not_kept() {
    let mut config = Config::lab();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    config.api.tcp = Some(free);
    let (_data, node) = node_with(config).await;
    let mut silent = TcpStream::connect(free).await.unwrap();
    silent.write_all(b"GET /v1/node HTTP/1.1\r\n").await.unwrap();
    let mut rest = String::new();
    let closed = silent.read_to_string(&mut rest);
    tokio::time::timeout(Duration::from_secs(20), closed).await.unwrap().unwrap();
    node.leave().await.unwrap();
}
