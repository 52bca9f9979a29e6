//! What the machine has room for, and who is in the way.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use crate::exit::Failure;

/// What a node of a lab takes, in bytes: its resident memory, rounded up.
const NODE_BYTES: u64 = 20 * 1024 * 1024;

/// Nodes per processor that still start and talk in reasonable time. (Measured: 64 on two are
/// ready within seconds; beyond a few hundred the heartbeats alone fill a processor.)
const NODES_PER_CORE: u64 = 128;

/// Checks that the machine can hold so many nodes.
///
/// # Errors
/// Says how many it can.
pub fn check(nodes: usize) -> Result<(), Failure> {
    let most = by_memory().unwrap_or(u64::MAX).min(by_processors()).max(1);
    if u64::try_from(nodes).unwrap_or(u64::MAX) <= most {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "{nodes} nodes are too many for this machine: with 20 MB and a share of a processor each \
         it can hold about {most}: give --nodes {most} or less"
    )))
}

/// The ports of a lab, the first node's first.
///
/// # Errors
/// When they would go beyond the last port there is.
pub fn ports(base: u32, nodes: usize) -> Result<Vec<u16>, Failure> {
    let count = u32::try_from(nodes).unwrap_or(u32::MAX);
    let last = base.saturating_add(count).saturating_sub(1);
    if base == 0 || last > u32::from(u16::MAX) {
        return Err(Failure::usage(format!(
            "{nodes} nodes from port {base} on need ports up to {last}, and ports are 1 to 65535: \
             give another --base-port"
        )));
    }
    Ok((base..=last).filter_map(|port| u16::try_from(port).ok()).collect())
}

/// Checks that nobody listens on any of these ports of the loopback interface.
///
/// # Errors
/// Names the port and, where it can be found out, the process that holds it.
pub fn check_free(ports: &[u16]) -> Result<(), Failure> {
    for &port in ports {
        if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            let holder = holder(port).map_or_else(String::new, |who| format!(" by {who}"));
            let reason = match error.kind() {
                std::io::ErrorKind::AddrInUse => format!("is in use{holder}"),
                _ => format!("cannot be listened on ({error})"),
            };
            return Err(Failure::failed(format!(
                "port {port} {reason}: give another --base-port, or end what uses it"
            )));
        }
    }
    Ok(())
}

fn by_memory() -> Option<u64> {
    let table = fs::read_to_string("/proc/meminfo").ok()?;
    let line = table.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    let free = kilobytes.saturating_mul(1024);
    Some(free.min(allowance().unwrap_or(u64::MAX)) / NODE_BYTES)
}

/// What a container may still take.
fn allowance() -> Option<u64> {
    let number = |file: &str| {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}

fn by_processors() -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    NODES_PER_CORE.saturating_mul(u64::try_from(cores).unwrap_or(u64::MAX))
}

/// Who listens on a port: `python3 (process 4711)`. Only what this user may look at is found.
fn holder(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| table.lines().skip(1).find_map(|line| listening_inode(line, port)))?;
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let open = fs::read_dir(entry.path().join("fd")).ok()?;
        open.flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .find(|target| target.as_os_str() == wanted.as_str())?;
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        Some(format!("{} (process {pid})", name.trim()))
    })
}

/// The inode of a line of `/proc/net/tcp` that listens (state `0A`) on this port.
fn listening_inode(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.rsplit_once(':')?;
    let listens = fields.get(3) == Some(&"0A");
    let same = u16::from_str_radix(local, 16).ok() == Some(port);
    if listens && same { fields.get(9).map(ToString::to_string) } else { None }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{check_free, ports};

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
}
