//! `gossip simulate`: what it shows, and how it ends.

use std::fs;

use super::world::World;

const FINE: &str = r#"
name = "fine"
nodes = 4
duration = "5s"
[expect]
linked_by = "1s"
"#;

const BROKEN: &str = r#"
name = "broken"
nodes = 4
duration = "20s"
[[fault]]
kind = "pause"
at = "2s"
nodes = [1]
[[fault]]
kind = "cut"
at = "4s"
nodes = [2]
[expect]
views_equal_by = "15s"
"#;

/// A scenario file, and the word that names it.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_same_seed_shows_the_same_trace() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let fine = file(&folder, "fine.toml", FINE);
    let trace = |seed: u64| {
        let said = world.ok(&format!("simulate {fine} --seed {seed}"));
        assert!(said.contains("holds"), "{said}");
        said.lines().last().unwrap().to_owned()
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn what_fails_is_shown_as_a_file_that_fails_again() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let broken = file(&folder, "broken.toml", BROKEN);
    let svg = folder.path().join("run.svg");
    let said = world.run(&format!("simulate {broken} --seeds 1..3 --svg {}", svg.display()));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("1 of 2 faults"), "{said:?}");
    assert!(fs::read_to_string(svg).unwrap().starts_with("<svg"));
    let at = said.out.find("name = ").unwrap();
    let smaller = file(&folder, "smaller.toml", &said.out[at..]);
    assert_eq!(world.run(&format!("simulate {smaller}")).code, 1);
}

#[test]
fn reports_are_documents_for_programs() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let (fine, broken) = (file(&folder, "a.toml", FINE), file(&folder, "b.toml", BROKEN));
    let said = world.run(&format!("simulate {fine} {broken} --json --seeds 1..2"));
    assert_eq!(said.code, 1, "{said:?}");
    let documents: Vec<serde_json::Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents[0]["holds"], true);
    assert_eq!(documents[0]["outcomes"].as_array().unwrap().len(), 2);
    assert_eq!(documents[1]["holds"], false);
    assert!(documents[1]["smallest"].as_str().unwrap().contains("views_equal_by"));
}

#[test]
fn what_is_no_scenario_is_refused() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let unknown = file(&folder, "c.toml", "name = 'x'\nnodes = 3\nduration = '1s'\nhours = 2");
    let cases = [
        (unknown.as_str(), 2, "unknown field `hours`"),
        ("nowhere.toml", 1, "cannot be read"),
        ("x.toml --seeds 5..1", 2, "expected the first and the last seed"),
    ];
    for (words, code, sentence) in cases {
        let said = world.run(&format!("simulate {words}"));
        assert_eq!(said.code, code, "{said:?}");
        assert!(said.err.contains(sentence), "{said:?}");
    }
}
