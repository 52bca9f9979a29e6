//! `why` and `verdict`: reasons and proofs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gossip_mesh::{Certificate, SecretKey};
use serde_json::{Value, json};

use super::world::{World, eventually};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A certificate by 3 voters, 2 votes needed.
fn proof() -> Certificate {
    Certificate::read(&fs::read(fixture("certificate.json")).unwrap()).unwrap()
}

impl World {
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let file = self.folder().join(name);
        fs::write(&file, content).unwrap();
        file.display().to_string()
    }
}

#[test]
fn a_proof_holds_in_both_forms_and_is_shown_in_plain_sentences() {
    let world = World::new();
    let proof = proof();
    for form in ["certificate.json", "certificate.cbor"] {
        let file = fixture(form).display().to_string();
        let said = world.ok(&format!("verdict verify {file}"));
        assert!(said.starts_with(&format!("valid: 3 nodes put out {}", proof.subject)), "{said}");
        let shown = world.ok(&format!("verdict show {file}"));
        for part in ["3 voted that it is down, 2 were needed", "its signatures hold"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let voters = proof.voters().filter(|voter| shown.contains(&voter.to_string()));
        assert_eq!(voters.count(), 3, "{shown}");
    }
    let file = fixture("certificate.json").display().to_string();
    let shown: Value =
        serde_json::from_str(&world.ok(&format!("verdict show {file} --json"))).unwrap();
    assert_eq!(shown["quorum"], 2);
    assert_eq!((shown["valid"].as_bool(), shown["span_ticks"].as_u64()), (Some(true), Some(2)));
}

#[test]
fn what_proves_nothing_is_told_with_its_flaw_and_exit_code_1() {
    let world = World::new();
    let mut forged = proof();
    forged.votes[1].signature[7] ^= 1;
    let mut few = proof();
    few.votes.truncate(1);
    let mut twice = proof();
    twice.votes[1] = twice.votes[0].clone();
    let mut own = proof();
    own.votes[2].voter = own.subject;
    let mut later = proof();
    later.incarnation.refutations += 1;
    for (bent, words) in [
        (forged, "a signature is forged"),
        (few, "fewer votes than a verdict needs"),
        (twice, "one voter votes twice"),
        (own, "a voter votes on itself"),
        (later, "a signature is forged"),
    ] {
        let file = world.file("bent.json", serde_json::to_vec(&bent).unwrap());
        let said = world.run(&format!("verdict verify {file}"));
        assert!(said.code == 1 && said.err.contains(words), "{words}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
        let said = world.run(&format!("verdict verify {file} --json"));
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((said.code, told["valid"].as_bool()), (1, Some(false)), "{told}");
        assert!(told["flaw"].as_str().unwrap().contains(words), "{told}");
        let shown = world.ok(&format!("verdict show {file}"));
        assert!(
            shown.contains(&format!("it proves nothing: {words}"))
                || shown.contains("it proves nothing: there are"),
            "{shown}"
        );
    }
}

#[test]
fn members_judge_who_may_vote() {
    let world = World::new();
    let proof = proof();
    let file = fixture("certificate.cbor").display().to_string();
    let verify = |members: &[String]| {
        let members = world.file("members.txt", members.join("\n"));
        world.run(&format!("verdict verify {file} --members {members}"))
    };
    let mut members: Vec<String> = proof.voters().map(|voter| voter.to_string()).collect();
    let said = verify(&members);
    assert!(said.code == 1 && said.err.contains("no member"), "{said:?}");
    members.push(proof.subject.to_string());
    assert!(verify(&members).out.starts_with("valid: 3 members"));
    for number in 200..203 {
        members.push(SecretKey::from_seed([number; 32]).id().to_string());
    }
    let said = verify(&members);
    assert!(said.code == 1 && said.err.contains("3 of 7 members voted"), "{said:?}");
    members.remove(0);
    let said = verify(&members);
    assert!(said.code == 1 && said.err.contains("voted and is no member"), "{said:?}");
    members.push("me".to_owned());
    assert_eq!(verify(&members).code, 2);
}

#[test]
fn what_is_no_certificate_is_refused_in_one_sentence() {
    let world = World::new();
    for (name, content) in [
        ("empty", Vec::new()),
        ("text", b"hello\x1b[2J\n".to_vec()),
        ("other.json", b"{\"subject\":1}".to_vec()),
        ("noise", vec![0xff; 300]),
        ("large", vec![b'{'; 70 * 1024]),
    ] {
        let file = world.file(name, content);
        let said = world.run(&format!("verdict verify {file}"));
        assert_eq!((said.code, said.err.lines().count()), (1, 1), "{name}: {said:?}");
        assert!(said.err.contains("certificate"), "{name}: {said:?}");
        assert!(!said.err.contains('\u{1b}'), "{name}: {said:?}");
    }
    let said = world.run("verdict show nowhere.json");
    assert!(said.code == 1 && said.err.contains("cannot be read"), "{said:?}");
    assert_eq!(world.run("verdict").code, 2);
}

#[test]
fn a_node_that_is_killed_is_down_with_a_proof_and_the_decision_can_be_replayed() {
    let world = World::new();
    world.start("complete -n 5");
    let view = |viewer: usize| -> Value {
        serde_json::from_str(&world.ok(&format!("status --json --node {viewer}"))).unwrap()
    };
    eventually("all are members", || {
        (1..=5).all(|teller| {
            world.ok(&format!("why {teller} --node {teller}")).contains("is a member")
        })
    });
    world.ok("remove-node 5 --kill");
    eventually("it is down", || view(1)["nodes"][4]["standing"] == "down");
    assert!(view(1)["nodes"][4]["since_ms"].is_u64());

    let file = world.folder().join("proof.json");
    let told = world.ok(&format!("why 5 --certificate {}", file.display()));
    assert!(
        told.starts_with("node 5 is down, for ") && told.contains("put out by node "),
        "{told}"
    );
    for part in ["node 5 is down by verdict of", "certificate: node 5"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let said = world.ok(&format!("verdict verify {}", file.display()));
    assert!(said.starts_with("valid: "), "{said}");
    let again = world.run(&format!("why 5 --certificate {}", file.display()));
    assert_eq!(again.code, 1, "a file that is there stays as it is");

    let file = world.folder().join("node.recording");
    world.ok(&format!("recorder dump 1 --output {}", file.display()));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let replayed = world.ok(&format!("recorder replay {}", file.display()));
    assert!(replayed.trim_end().ends_with("all decisions are the same"), "{replayed}");
    assert!(replayed.contains(" is down by verdict of "), "{replayed}");
    let about = world.ok(&format!("recorder replay {} --node node-5", file.display()));
    assert!(about.contains(" is down by verdict of "), "{about}");
    let other = world.ok(&format!("recorder replay {} --node node-4", file.display()));
    assert!(other.len() < replayed.len(), "{other}");
    let said = world.run(&format!("recorder replay {} --node nobody", file.display()));
    assert!(said.code == 1 && said.err.contains("speaks of no \"nobody\""), "{said:?}");
    let lines = world.ok(&format!("recorder replay {} --json", file.display()));
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["same"], true);
    assert!(last["steps"].as_u64().unwrap() > 100, "{last}");

    // Some of what came in is changed: the decisions are not the same, or it cannot be read.
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() * 3 / 4;
    bytes[at..at + 40].iter_mut().for_each(|byte| *byte ^= 1);
    let bent = world.file("bent.recording", bytes);
    assert_eq!(world.run(&format!("recorder replay {bent}")).code, 1);
    let said = world.run(&format!("recorder replay {}", fixture("certificate.json").display()));
    assert!(said.code == 1 && said.err.contains("is not a recording"), "{said:?}");
}

#[test]
fn a_node_that_lives_has_a_story_too() {
    let world = World::new();
    world.start("complete -n 3");
    let told = world.ok("why 2");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("node 2 is alive, for "), "{told}");
    assert!(lines[1].starts_with("as seen by node 1"), "{told}");
    assert!(world.ok("why 2 --node 3").contains("as seen by node 3"));
    assert!(world.ok("why 1").contains("as seen by node 2"), "another one tells it");
    assert!(world.ok("why 1 --node 1").starts_with("node 1, of itself, "));
    let story: Value = serde_json::from_str(&world.ok("why 3 --json")).unwrap();
    assert_eq!(
        (&story["standing"], &story["condition"]["name"]),
        (&json!("alive"), &json!("answers"))
    );
    let said = world.run("why 9");
    assert!(said.code == 1 && said.err.contains("no node \"9\""), "{said:?}");
    let file = world.folder().join("proof.json");
    let said = world.run(&format!("why 2 --certificate {}", file.display()));
    assert!(said.code == 1 && said.err.contains("node 2 is not down"), "{said:?}");
    assert!(!file.exists());
    let stranger = SecretKey::generate().id();
    let told = world.ok(&format!("why {stranger}"));
    assert!(told.starts_with(&format!("{stranger}: never heard of here")), "{told}");
}
