//! What the lab knows of the machine.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use super::process::{Process, end_all};
use super::room::{check_free, ports};

#[test]
fn a_process_with_a_reused_id_is_another_one() {
    let own = Process::own().unwrap();
    assert!(own.is_running());
    assert!(!Process { started: own.started + 1, ..own.clone() }.is_running());
    assert!(!Process { boot: "another".into(), ..own }.is_running());
}

#[test]
fn what_does_not_end_when_asked_is_ended() {
    let script = "trap '' TERM; echo; while true; do read -t 1 -u 2; done";
    let mut stubborn = Command::new("bash")
        .args(["-c", script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let process = Process::of(stubborn.id()).unwrap();
    // It has said something, so its trap is set.
    std::io::Read::read(stubborn.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    assert_eq!(end_all(std::slice::from_ref(&process), Duration::from_millis(50)), 1);
    assert!(!process.is_running());
    stubborn.wait().unwrap();
}

#[test]
fn ports_end_at_the_last_one() {
    assert_eq!(ports(65_534, 2).unwrap(), [65_534, 65_535]);
    assert!(ports(65_535, 2).is_err());
    assert!(ports(70_000, 1).is_err());
    assert!(ports(0, 1).is_err());
    assert!(ports(u32::MAX, usize::MAX).is_err());
}

#[test]
fn the_holder_of_a_port_is_named() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let told = format!("{:?}", check_free(&[port]).unwrap_err());
    let own = format!("process {}", std::process::id());
    assert!(told.contains(&port.to_string()) && told.contains(&own), "{told}");
}
