//! What was measured so far, and what is wrong with it.

use crate::bench::measure::End;
use crate::bench::outcome::Outcome;
use crate::exit::Failure;
use crate::render::screen::Screen;

/// Shows what was measured. Whether that was the last.
pub fn take(
    measured: Option<(Outcome, End)>,
    outcomes: &mut Vec<Outcome>,
    screen: Screen,
) -> Result<bool, Failure> {
    let Some((outcome, end)) = measured else {
        screen.remark("stopped before anything was measured");
        return Ok(true);
    };
    if screen.json {
        screen.document(&outcome)?;
    }
    outcomes.push(outcome);
    if end == End::Stopped {
        screen.remark("stopped; this is what was measured so far");
    }
    Ok(end == End::Stopped)
}

/// Loss is a failure, after it was shown; but for that of what stands beside.
pub fn judge(outcomes: &[Outcome]) -> Result<(), Failure> {
    let broken: Vec<String> = outcomes
        .iter()
        .filter(|outcome| outcome.ratio.is_none() && !outcome.is_whole())
        .map(|it| {
            format!(
                "of {} bytes {} deliveries are missing, {} came twice, {} not as sent",
                it.size, it.lost, it.duplicates, it.corrupt
            )
        })
        .collect();
    if broken.is_empty() { Ok(()) } else { Err(Failure::failed(broken.join("; "))) }
}
