//! What every expectation can do.

use crate::sim::report::{Outcome, Report};
use crate::sim::scene::{Scene, Sign, Truth};

/// Holds, or says in a sentence how it fell.
pub(crate) type Holds = Result<(), String>;

/// One line of `[expect]`, over one world.
pub(crate) trait Expectation {
    /// A node told something.
    fn sign(&mut self, sign: &Sign, scene: &dyn Scene) -> Holds {
        let _ = (sign, scene);
        Ok(())
    }

    /// A process started or ended.
    fn truth(&mut self, truth: &Truth, scene: &dyn Scene) -> Holds {
        let _ = (truth, scene);
        Ok(())
    }

    /// A tenth of a virtual second went by.
    fn look(&mut self, scene: &dyn Scene) -> Holds {
        let _ = scene;
        Ok(())
    }

    /// The world has ended; `outcome` is what was measured.
    fn end(&mut self, outcome: &Outcome, scene: &dyn Scene) -> Holds {
        let _ = (outcome, scene);
        Ok(())
    }

    /// All seeds have run.
    fn overall(&self, report: &Report) -> Holds {
        let _ = report;
        Ok(())
    }
}
