//! What nodes say about membership.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::base::id::{Incarnation, Life, NodeId};

/// "I end this life of mine, on purpose", signed by the one who says it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Left {
    /// Who left.
    pub node: NodeId,
    /// The life that ended.
    pub life: Life,
    /// The node's signature over a domain prefix and the two fields.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// How long ago it was said, in milliseconds, as far as the teller knows. Not signed: it only
    /// makes a good-bye end everywhere at about the same time.
    pub age_ms: u64,
}

/// "I live, in this incarnation", signed by the one who says it. How a node joins, refutes a
/// suspicion and comes back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Alive {
    /// Who lives.
    pub node: NodeId,
    /// In which incarnation.
    pub incarnation: Incarnation,
    /// Its logical clock when it signed, in units of its `timeout` since its life began.
    pub tick: u64,
    /// The node's signature over a domain prefix and the fields above.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// Members that vouch for it: `Up` statements about the incarnation before. Needed by a node
    /// that refutes too often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<Statement>,
}

/// "I put this incarnation of mine out", signed by the one who says it. It will be back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Resigned {
    /// Who goes.
    pub node: NodeId,
    /// Which incarnation ends.
    pub incarnation: Incarnation,
    /// The node's signature over a domain prefix and the fields above.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// What a voter found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The node answered.
    Up,
    /// The node did not answer.
    Down,
}

/// What one voter says of one incarnation of a node in one round, signed: a testimony.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Statement {
    /// Names the round of questions it was made for.
    pub round: u64,
    /// Of whom it speaks.
    pub subject: NodeId,
    /// Of which incarnation of it.
    pub incarnation: Incarnation,
    /// What the voter found.
    pub verdict: Verdict,
    /// Who says so, and how sure it has to be.
    #[serde(flatten)]
    pub vote: Vote,
}

/// The part of a statement that differs between the voters of a round.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Vote {
    /// Who says it.
    pub voter: NodeId,
    /// The subject's logical clock when the statement was made, as the voter reckons it.
    pub tick: u64,
    /// Digest of the voter's agreed membership.
    pub agreed: u64,
    /// How many votes a verdict needs, as the voter sees the membership.
    pub quorum: u32,
    /// The voter's signature over a domain prefix and all of the statement.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// Proof that a quorum put one incarnation of a node out: the votes against it, all `Down`, all of
/// one round. Anybody can check it, without a network; see [`Certificate::check`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Certificate {
    /// Who was put out.
    pub subject: NodeId,
    /// Which incarnation of it. The next one is welcome.
    pub incarnation: Incarnation,
    /// The round in which they voted.
    pub round: u64,
    /// The votes, at most [`MAX_VOTES`](crate::MAX_VOTES).
    pub votes: Vec<Vote>,
}

/// In what condition a node is, as it says itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It looks for a member that takes it in.
    #[default]
    Joining,
    /// It is a member: it watches, votes and decides.
    Active,
    /// Nobody answers it: it looks for members, one at a time.
    Isolated,
    /// It was put out, or put itself out, and waits before it comes back.
    Downed,
}

/// How a node is and what it believes, in every probe and its answer. On the wire it is an array
/// of its fields in this order, some 40 bytes: it is most of what an idle mesh says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "PulseRow", into = "PulseRow")]
pub struct Pulse {
    /// In which incarnation it is.
    pub incarnation: Incarnation,
    /// Its logical clock, in units of its `timeout` since its life began.
    pub tick: u64,
    /// Its condition.
    pub phase: Phase,
    /// Digest of its active view: who lives, in which incarnations.
    pub active: u64,
    /// Digest of its agreed membership: whose votes count.
    pub agreed: u64,
    /// While the two differ: which of the agreed members, in the order of their ids, are known to
    /// have had this very active view; a bit each, the first in the lowest bit of the first byte.
    pub holders: Option<ByteBuf>,
}

type PulseRow = (u64, u32, u64, u8, u64, u64, Option<ByteBuf>);

impl From<PulseRow> for Pulse {
    fn from(row: PulseRow) -> Self {
        let (life, refutations, tick, phase, active, agreed, holders) = row;
        let phase = match phase {
            1 => Phase::Active,
            2 => Phase::Isolated,
            3 => Phase::Downed,
            // A condition that a later version knows is none that votes.
            _ => Phase::Joining,
        };
        let incarnation = Incarnation { life: Life(life), refutations };
        Self { incarnation, tick, phase, active, agreed, holders }
    }
}

impl From<Pulse> for PulseRow {
    fn from(pulse: Pulse) -> Self {
        let Pulse { incarnation, tick, phase, active, agreed, holders } = pulse;
        let phase = match phase {
            Phase::Joining => 0,
            Phase::Active => 1,
            Phase::Isolated => 2,
            Phase::Downed => 3,
        };
        (incarnation.life.0, incarnation.refutations, tick, phase, active, agreed, holders)
    }
}

/// Something that all members shall know. It is passed on to all linked peers, once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum News {
    /// A node lives.
    #[serde(rename = "a")]
    Alive(Alive),
    /// A node was put out.
    #[serde(rename = "d")]
    Down(Certificate),
    /// A node put itself out.
    #[serde(rename = "g")]
    Resigned(Resigned),
    /// A node left.
    #[serde(rename = "l")]
    Left(Left),
}

impl News {
    /// Of whom it speaks.
    pub const fn node(&self) -> NodeId {
        match self {
            Self::Alive(alive) => alive.node,
            Self::Down(certificate) => certificate.subject,
            Self::Resigned(resigned) => resigned.node,
            Self::Left(left) => left.node,
        }
    }
}

/// Questions, answers and statements of the membership room. Each is at most `MAX_FRAME` bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Message {
    /// "Are you there?" Answered with `Ack`, at once.
    #[serde(rename = "p")]
    Ping(Pulse),
    /// "Yes."
    #[serde(rename = "k")]
    Ack(Pulse),
    /// To the subject: "I suspect this incarnation of you." Answered with `Noted`, refuted by news.
    #[serde(rename = "s")]
    Suspected {
        /// Which incarnation.
        incarnation: Incarnation,
        /// In which round.
        round: u64,
    },
    /// "I found this node down: what do you find?" Answered with `Noted` at once; the finding comes
    /// as a `Report`. Answered with `News` by who knows better than to look.
    #[serde(rename = "q")]
    Query(Statement),
    /// "This is what I found."
    #[serde(rename = "r")]
    Report(Statement),
    /// "I contradicted often: say that you reach me." Answered with an `Up` `Report`.
    #[serde(rename = "v")]
    Vouch {
        /// The asker's incarnation.
        incarnation: Incarnation,
        /// The round that it answers.
        round: u64,
    },
    /// What all members shall know, at most `MAX_NEWS` at once.
    #[serde(rename = "n")]
    News(Vec<News>),
    /// "Take me in." Answered with the first `Page`, or `NotActive`.
    #[serde(rename = "j")]
    Join(Alive),
    /// "What do you hold after this node?" Answered with a `Page`, or `NotActive`.
    #[serde(rename = "f")]
    Fetch {
        /// The last node of the page before.
        after: Option<NodeId>,
    },
    /// Records in the order of their nodes.
    #[serde(rename = "g")]
    Page {
        /// At most `MAX_PAGE`.
        records: Vec<News>,
        /// Those of the page's nodes whose votes count, in order.
        agreed: Vec<NodeId>,
        /// There are more after the last.
        more: bool,
    },
    /// "I am no active member, ask another."
    #[serde(rename = "x")]
    NotActive,
    /// "Understood."
    #[serde(rename = "o")]
    Noted,
}

impl Message {
    /// True for what must not wait behind anything else.
    pub const fn is_probe(&self) -> bool {
        matches!(self, Self::Ping(_) | Self::Ack(_))
    }
}
