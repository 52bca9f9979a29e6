//! The same work, done by each system that can be measured.

use std::sync::Arc;

use bytes::Bytes;
use gossip_mesh::{Cbor, Codec, Json, MsgPack, Raw};

use super::{Filler, Format, TopicBench, wide};
use crate::args::{DEFAULT_NETWORK, Which};
use crate::bench::board::Board;
use crate::bench::lab::Lab;
use crate::bench::letter::{Letter, Note};
use crate::bench::measure::{End, measure};
use crate::bench::mesh::Mesh;
use crate::bench::outcome::{Outcome, Setting};
use crate::bench::plain::Plain;
use crate::cmd::bench::bar::Bar;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::lab::graph::Drawn;

impl TopicBench {
    /// By nodes of this process.
    pub(super) async fn in_this_process(
        &self,
        size: u32,
        drawn: &Drawn,
        interrupt: &mut Interrupt,
        bar: &Bar,
    ) -> Result<Option<(Outcome, End)>, Failure> {
        bar.says("nodes start");
        let mesh = tokio::select! {
            mesh = Mesh::start(&drawn.graph, self.transport, self.compress) => mesh?,
            () = interrupt.came() => return Ok(None),
        };
        let job = Job { bench: self, mesh: &mesh, drawn, size, bar };
        let measured = match (self.codec, self.payload) {
            (Format::Bytes, Filler::Random) => job.run::<Bytes, Raw>(interrupt).await,
            (Format::Bytes, Filler::Text) => job.run::<Vec<u8>, Raw>(interrupt).await,
            (Format::Cbor, Filler::Random) => job.run::<Note<false>, Cbor>(interrupt).await,
            (Format::Cbor, Filler::Text) => job.run::<Note<true>, Cbor>(interrupt).await,
            (Format::Json, Filler::Random) => job.run::<Note<false>, Json>(interrupt).await,
            (Format::Json, Filler::Text) => job.run::<Note<true>, Json>(interrupt).await,
            (Format::MsgPack, Filler::Random) => job.run::<Note<false>, MsgPack>(interrupt).await,
            (Format::MsgPack, Filler::Text) => job.run::<Note<true>, MsgPack>(interrupt).await,
        };
        mesh.end().await;
        measured
    }

    /// By gossipsub used directly, with its defaults.
    pub(super) async fn plainly(
        &self,
        size: u32,
        drawn: &Drawn,
        interrupt: &mut Interrupt,
        bar: &Bar,
    ) -> Result<Option<(Outcome, End)>, Failure> {
        bar.says("nodes start");
        let plan = self.plan(size, drawn.graph.node_count());
        let board = Arc::new(Board::new(&plan));
        let publishers = wide(self.publishers);
        let begin = async {
            let plain = Plain::start(&drawn.graph, publishers, plan.size, &board).await?;
            let authors = plain.authors(publishers, plan.size).await?;
            Ok::<_, Failure>((plain, authors))
        };
        let (plain, mut authors) = tokio::select! {
            begun = begin => begun?,
            () = interrupt.came() => return Ok(None),
        };
        let system = "gossipsub".to_owned();
        let setting = Setting { system, ..self.setting(drawn.graph.node_count(), &drawn.label) };
        bar.is_for(&plan);
        let stop = interrupt.came();
        let measured = measure(&plain, &mut authors, (&plan, &board, setting), stop, bar).await?;
        Ok(Some(measured))
    }

    /// By the lab that runs, through its local API.
    pub(super) async fn in_a_lab(
        &self,
        size: u32,
        interrupt: &mut Interrupt,
        bar: &Bar,
    ) -> Result<Option<(Outcome, End)>, Failure> {
        let network = self.network.clone().unwrap_or_else(|| DEFAULT_NETWORK.to_owned());
        let which = Which { network, data: self.data.clone() };
        let lab = Lab::of(
            which.find()?,
            self.node.as_deref(),
            self.payload == Filler::Text,
            self.compress,
        )?;
        let plan = self.plan(size, lab.nodes());
        let board = Arc::new(Board::new(&plan));
        let connect = lab.connect(wide(self.subscribers), plan.size, &board);
        let mut author = tokio::select! {
            author = connect => author?,
            () = interrupt.came() => return Ok(None),
        };
        let setting = Setting {
            system: "gossip-mesh, through its local API".to_owned(),
            seed: None,
            ..self.setting(lab.nodes(), lab.title())
        };
        bar.is_for(&plan);
        let measured =
            measure(&lab, &mut author, (&plan, &board, setting), interrupt.came(), bar).await?;
        Ok(Some(measured))
    }
}

/// One size, measured with nodes of this process.
struct Job<'a> {
    bench: &'a TopicBench,
    mesh: &'a Mesh,
    drawn: &'a Drawn,
    size: u32,
    bar: &'a Bar,
}

impl Job<'_> {
    /// Measures values of this type in this codec; `None` when it was stopped before it began.
    async fn run<T, C>(&self, interrupt: &mut Interrupt) -> Result<Option<(Outcome, End)>, Failure>
    where
        T: Letter + Sync,
        C: Codec<T> + 'static,
    {
        let Self { bench, mesh, drawn, size, bar } = self;
        let plan = bench.plan(*size, drawn.graph.node_count());
        let board = Arc::new(Board::new(&plan));
        let each = (wide(bench.publishers), wide(bench.subscribers));
        let connect = mesh.connect::<T, C>(each, plan.size, &board);
        let mut author = tokio::select! {
            author = connect => author?,
            () = interrupt.came() => return Ok(None),
        };
        let setting = bench.setting(drawn.graph.node_count(), &drawn.label);
        bar.is_for(&plan);
        let stop = interrupt.came();
        let measured = measure(*mesh, &mut author, (&plan, &board, setting), stop, *bar).await?;
        Ok(Some(measured))
    }
}
