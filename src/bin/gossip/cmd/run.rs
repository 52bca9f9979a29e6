//! From the words to the command.

use crate::args::Command;
use crate::exit::Failure;
use crate::render::screen::Screen;

/// Does what was asked.
///
/// # Errors
/// Says how it ended.
pub fn run(command: Command, screen: Screen) -> Result<(), Failure> {
    match command {
        Command::Completions(completions) => return completions.run(screen),
        Command::Man(man) => return man.run(screen),
        Command::Bench(bench) => return bench.run(screen),
        Command::StopNetwork(stop) => return stop.run(screen),
        Command::Verdict(verdict) => return verdict.run(screen),
        _ => {}
    }
    // One thread is enough for everything here, and keeps a node of a lab small.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(run_async(command, screen));
    // A thread that reads stdin may never return; nothing else is left to wait for.
    runtime.shutdown_background();
    result
}

async fn run_async(command: Command, screen: Screen) -> Result<(), Failure> {
    match command {
        Command::StartNetwork(start) => start.run(screen).await,
        Command::Status(status) => status.run(screen).await,
        Command::SendMessage(send) => send.run(screen).await,
        Command::GetMessages(get) => get.run(screen).await,
        Command::RemoveNode(remove) => remove.run(screen).await,
        Command::Rewire(rewire) => rewire.run(screen).await,
        Command::ListPeers(list) => list.run(screen).await,
        Command::Plot(plot) => plot.run(screen).await,
        Command::Node(node) => node.run(screen).await,
        Command::Pub(publish) => publish.run(screen).await,
        Command::Sub(subscribe) => subscribe.run(screen).await,
        Command::Events(events) => events.run(screen).await,
        Command::Metrics(metrics) => metrics.run(screen).await,
        Command::Trace(trace) => trace.run(screen).await,
        Command::Why(why) => why.run(screen).await,
        Command::Recorder(recorder) => recorder.run(screen).await,
        Command::Simulate(simulate) => simulate.run(screen).await,
        Command::Fault(fault) => fault.run(screen).await,
        // `run` took these.
        Command::Completions(_)
        | Command::Bench(_)
        | Command::Man(_)
        | Command::StopNetwork(_)
        | Command::Verdict(_) => Ok(()),
    }
}
