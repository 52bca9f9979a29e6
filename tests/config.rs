//! Promises about settings: checked as a whole, and the same from code and from a file.
#![cfg(feature = "net")]

use std::time::Duration;

use gossip_mesh::{
    Config, ConfigError, Degrees, Error, NetworkKey, Node, Preset, SecretKey, Topology,
};

#[test]
fn every_preset_is_without_contradiction() {
    for preset in [Preset::Lab, Preset::Lan, Preset::Wan] {
        let config = Config::preset(preset);
        assert_eq!(config.preset, preset);
        assert_eq!(config.check(), Ok(()));
        assert!(!config.listen.is_empty(), "every constant address can be parsed");
    }
    assert_eq!(Config::default(), Config::lan());
}

#[test]
fn all_contradictions_are_told_at_once_and_each_names_its_setting() {
    let mut config = Config::lab();
    config.network = String::new();
    config.name = Some("line\nbreak".to_owned());
    config.mdns = true;
    config.kademlia = true;
    config.topology = Topology::Fixed(Default::default());
    config.gossip.mesh_low = 20;
    config.gossip.heartbeat = Duration::ZERO;
    config.gossip.queue_messages = 0;
    config.topic.buckets = 0;
    config.topic.max_message_bytes = 0;
    config.topic.max_kept = 0;
    config.topic.max_undelivered = 0;
    config.discovery.max_dials = 0;
    config.discovery.backoff_first = Duration::from_secs(60);
    config.link.max_links = 0;
    config.link.max_pending = 0;
    config.link.watch.misses = 0;
    config.door.topics.insert("open".to_owned());
    config.api.tcp = Some("127.0.0.1:0".parse().unwrap());
    config
        .listen
        .push(format!("/ip4/127.0.0.1/tcp/1/p2p/{}", SecretKey::generate().id()).parse().unwrap());
    let ConfigError(wrong) = config.check().unwrap_err();
    let settings = [
        "`network`",
        "`name`",
        "`mdns`",
        "`kademlia`",
        "`gossip.mesh_low`",
        "`gossip.heartbeat`",
        "`gossip.queue_messages`",
        "`topic.buckets`",
        "`topic.max_message_bytes`",
        "`topic.max_kept`",
        "`topic.max_undelivered`",
        "`discovery.max_dials`",
        "`discovery.backoff_first`",
        "`link.max_links`",
        "`link.max_pending`",
        "`link.watch.misses`",
        "`door.topics`",
        "`api.tcp`",
        "/p2p/",
    ];
    for setting in settings {
        let told = wrong.iter().filter(|sentence| sentence.contains(setting)).count();
        assert_eq!(told, 1, "{setting} in {wrong:#?}");
    }
    assert_eq!(wrong.len(), settings.len(), "{wrong:#?}");
    let text = ConfigError(wrong).to_string();
    assert!(text.starts_with("19 settings are wrong:\n  - "), "{text}");
}

#[tokio::test]
async fn a_node_does_not_start_with_wrong_settings_and_tells_those_of_the_builder_too() {
    let mut config = Config::lab();
    config.topic.buckets = 0;
    config.key_file = Some("never-made".into());
    config.network_key_file = Some("never-made".into());
    let spawned = Node::builder()
        .config(config)
        .key(SecretKey::generate())
        .network_key(NetworkKey::new([1; 32]))
        .listen("nonsense")
        .bootstrap("/ip4/999.0.0.1/tcp/1")
        .announce("")
        .spawn()
        .await;
    let Err(Error::Config(ConfigError(wrong))) = spawned else { panic!("{spawned:?}") };
    for part in ["`listen`: `nonsense`", "999.0.0.1", "`key_file`", "`network_key_file`", "buckets"]
    {
        assert!(wrong.iter().any(|sentence| sentence.contains(part)), "{part} in {wrong:#?}");
    }
    assert!(!std::path::Path::new("never-made").exists());
}

#[tokio::test]
async fn a_node_listens_wherever_the_builder_was_told_and_not_where_the_preset_says() {
    let preset = Config::lab().listen.remove(0).to_string();
    let (tcp, ws) = ("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws");
    assert_eq!(preset, tcp, "what the preset says is also said by the user");
    for (told, count) in [(vec![tcp, ws], 2), (vec![ws, tcp], 2), (vec![ws], 1), (vec![], 1)] {
        let mut lab = Node::builder().config(Config::lab());
        for address in &told {
            lab = lab.listen(address);
        }
        let node = lab.spawn().await.unwrap();
        let addresses = node.addresses().await.unwrap();
        let is_ws = |address: &&gossip_mesh::Multiaddr| address.to_string().contains("/ws");
        let on_ws = addresses.iter().filter(is_ws).count();
        assert_eq!((addresses.len(), on_ws), (count, usize::from(told.contains(&ws))), "{told:?}");
        node.leave().await.unwrap();
    }
}

#[test]
fn broken_toml_shows_the_line() {
    let cases = [
        ("name = \"a\"\nnetwork = home\n", "network = home", "line 2"),
        ("[topic]\nmax_kept = \"many\"\n", "max_kept = \"many\"", "line 2"),
        ("name = \"a\"\n\n[link]\nidle = \"1 parsec\"\n", "1 parsec", "line 4"),
        ("listen = [\"/ip4/nowhere\"]\n", "/ip4/nowhere", "line 1"),
        ("preset = \"moon\"\n", "moon", "line 1"),
    ];
    for (text, shown, line) in cases {
        let error = Config::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(shown) && error.contains(line), "{error}");
    }
}

#[test]
fn an_unknown_setting_is_refused_and_named_with_its_line() {
    for (text, name) in [("colour = 1\n", "colour"), ("[topic]\nmax_keptt = 5\n", "max_keptt")] {
        let error = Config::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("line"), "{error}");
    }
}

#[test]
fn a_file_says_the_same_as_code() {
    let file = Config::from_toml(
        r#"
        preset = "lab"
        name = "kitchen"
        network = "home"
        data = "somewhere"
        listen = ["/ip4/127.0.0.1/tcp/7001"]
        announce = ["/ip4/10.0.0.1/tcp/7001"]
        bootstrap = ["/ip4/127.0.0.1/tcp/7002"]
        labels = { floor = "2" }
        [topic]
        max_kept = 5
        keep_for = "2m 30s"
        [discovery]
        backoff_max = "1s 500ms"
        [gossip]
        heartbeat = "100ms"
        [link]
        ping_interval = "1s"
        max_inbound_per_ip = 7
        [link.watch]
        misses = 3
        "#,
    )
    .unwrap();
    let mut code = Config::lab();
    code.name = Some("kitchen".to_owned());
    code.network = "home".to_owned();
    code.data = Some("somewhere".into());
    code.listen = vec!["/ip4/127.0.0.1/tcp/7001".parse().unwrap()];
    code.announce = vec!["/ip4/10.0.0.1/tcp/7001".parse().unwrap()];
    code.bootstrap = vec!["/ip4/127.0.0.1/tcp/7002".parse().unwrap()];
    code.labels.insert("floor".to_owned(), "2".to_owned());
    code.topic.max_kept = 5;
    code.topic.keep_for = Duration::from_secs(150);
    code.discovery.backoff_max = Duration::from_millis(1_500);
    code.link.watch.misses = 3;
    code.gossip.heartbeat = Duration::from_millis(100);
    code.link.ping_interval = Duration::from_secs(1);
    code.link.max_inbound_per_ip = 7;
    assert_eq!(file, code);
}

#[test]
fn a_file_changes_of_a_preset_what_it_names_and_nothing_else() {
    assert_eq!(Config::from_toml("").unwrap(), Config::lan());
    assert_eq!(Config::from_toml("preset = \"wan\"").unwrap(), Config::wan());
    let one = Config::from_toml("preset = \"wan\"\n[gossip]\nmesh = 8\n").unwrap();
    let mut wan = Config::wan();
    wan.gossip.mesh = 8;
    assert_eq!(one, wan);
}

#[test]
fn every_preset_written_as_a_file_reads_back_the_same() {
    for preset in [Preset::Lab, Preset::Lan, Preset::Wan] {
        let mut config = Config::preset(preset);
        let text = toml::to_string(&config).unwrap();
        assert_eq!(Config::from_toml(&text).unwrap(), config, "{text}");
        config.name = Some("named".to_owned());
        let neighbour = vec!["/ip4/127.0.0.1/tcp/7001".parse().unwrap()];
        config.topology = Topology::Fixed([(SecretKey::generate().id(), neighbour.clone())].into());
        let text = toml::to_string(&config).unwrap();
        assert_eq!(Config::from_toml(&text).unwrap(), config, "{text}");
        let neighbours = [(SecretKey::generate().id(), neighbour)].into();
        config.topology = Topology::Mending { neighbours, degrees: Degrees { min: 3, max: 5 } };
        let text = toml::to_string(&config).unwrap();
        assert_eq!(Config::from_toml(&text).unwrap(), config, "{text}");
        let degrees = Degrees { min: 2, max: 1 };
        config.topology = Topology::Mending { neighbours: Default::default(), degrees };
        assert!(config.check().unwrap_err().to_string().contains("`min` above its `max`"));
    }
}
