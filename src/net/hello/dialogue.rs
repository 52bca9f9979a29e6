//! The two parts of the hello, over any stream of bytes.

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt};
use libp2p::PeerId;
use rand::TryRng;
use rand::rngs::SysRng;
use serde_bytes::{ByteArray, ByteBuf};

use super::bars::Bars;
use super::proof::{ProofKey, Role, Transcript};
use super::wire::{self, FORMAT_VERSION, Introduction, MAGIC, Message, Opening, Proof};
use crate::base::codec::to_cbor;
use crate::base::id::NodeId;
use crate::base::name::check_name;
use crate::net::refusal::{HelloError, Limits, Refusal};

/// What a node says of itself on every connection.
#[derive(Clone)]
pub(super) struct Credentials {
    pub me: PeerId,
    pub network: String,
    pub key: ProofKey,
    pub limits: Limits,
    /// An [`Introduction`] in CBOR.
    pub introduction: Vec<u8>,
}

/// One hello under way.
struct Dialogue<'a, S> {
    stream: &'a mut S,
    own: &'a Credentials,
    bars: &'a Bars,
    peer: NodeId,
    role: Role,
    nonce: [u8; 32],
    transcript: Transcript,
    /// The peer has proved the network key.
    proven: bool,
}

/// Plays one part of the hello to its end and returns what the peer said of itself.
///
/// When it ends with `RefusedByUs` the peer has not been told yet.
pub(super) async fn converse<S>(
    stream: &mut S,
    own: &Credentials,
    bars: &Bars,
    peer: &PeerId,
    role: Role,
) -> Result<Introduction, HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let transcript = match role {
        Role::Dialer => Transcript::new(&own.key, &own.me, peer),
        Role::Listener => Transcript::new(&own.key, peer, &own.me),
    };
    let (peer, nonce) = (NodeId::from(*peer), fresh_nonce()?);
    let dialogue = Dialogue { stream, own, bars, peer, role, nonce, transcript, proven: false };
    match role {
        Role::Dialer => dialogue.dial().await,
        Role::Listener => dialogue.listen().await,
    }
}

impl<S> Dialogue<'_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn dial(mut self) -> Result<Introduction, HelloError> {
        self.open().await?;
        self.hear_opening().await?;
        self.prove().await?;
        let peer = self.hear_proof().await?;
        self.say(&Message::Welcome).await?;
        // The welcome is out; a stream that cannot be closed in order changes nothing.
        let _ = self.stream.close().await;
        Ok(peer)
    }

    async fn listen(mut self) -> Result<Introduction, HelloError> {
        self.hear_opening().await?;
        self.open().await?;
        let peer = self.hear_proof().await?;
        self.prove().await?;
        match self.hear().await? {
            Message::Welcome => Ok(peer),
            _ => Err(HelloError::RefusedByUs(Refusal::Garbage)),
        }
    }

    async fn open(&mut self) -> Result<(), HelloError> {
        let opening = Opening {
            magic: ByteArray::new(MAGIC),
            version: FORMAT_VERSION,
            network: self.own.network.clone(),
            nonce: ByteArray::new(self.nonce),
        };
        self.say(&Message::Hello(opening)).await
    }

    async fn hear_opening(&mut self) -> Result<(), HelloError> {
        match self.hear().await? {
            Message::Hello(opening) => self.judge(&opening).map_err(HelloError::RefusedByUs),
            _ => Err(HelloError::RefusedByUs(Refusal::Garbage)),
        }
    }

    fn judge(&self, theirs: &Opening) -> Result<(), Refusal> {
        if *theirs.magic != MAGIC {
            Err(Refusal::NotAHello)
        } else if theirs.version != FORMAT_VERSION {
            Err(Refusal::UnknownVersion { refuser: FORMAT_VERSION, refused: theirs.version })
        } else if theirs.network != self.own.network {
            // A name that could not be a name is not repeated to anyone.
            check_name(&theirs.network).map_err(|_| Refusal::Garbage)?;
            Err(Refusal::OtherNetwork {
                refuser: self.own.network.clone(),
                refused: theirs.network.clone(),
            })
        } else if *theirs.nonce == self.nonce {
            Err(Refusal::Echo)
        } else {
            Ok(())
        }
    }

    async fn prove(&mut self) -> Result<(), HelloError> {
        let introduction = &self.own.introduction;
        let mac = self.transcript.proof(self.role, introduction);
        let proof = Proof {
            mac: ByteArray::new(*mac.as_bytes()),
            introduction: ByteBuf::from(introduction.clone()),
        };
        self.say(&Message::Proof(proof)).await
    }

    async fn hear_proof(&mut self) -> Result<Introduction, HelloError> {
        let said_before = self.transcript.clone();
        let Message::Proof(proof) = self.hear().await? else {
            return Err(HelloError::RefusedByUs(Refusal::Garbage));
        };
        let introduction = self.examine(&said_before, &proof).map_err(HelloError::RefusedByUs)?;
        self.proven = true;
        Ok(introduction)
    }

    /// First the proof, then what it covers: a stranger's introduction is not even read.
    fn examine(&self, said_before: &Transcript, theirs: &Proof) -> Result<Introduction, Refusal> {
        let mac = blake3::Hash::from_bytes(*theirs.mac);
        if mac != said_before.proof(self.role.other(), &theirs.introduction) {
            return Err(Refusal::WrongProof);
        }
        let introduction = Introduction::decode(&theirs.introduction)?;
        if introduction.limits != self.own.limits {
            return Err(Refusal::IncompatibleLimits {
                refuser: self.own.limits,
                refused: introduction.limits,
            });
        }
        match self.bars.against(self.peer, introduction.incarnation) {
            Some(certificate) => Err(Refusal::Down { certificate: certificate.to_vec() }),
            None => Ok(introduction),
        }
    }

    async fn say(&mut self, message: &Message) -> Result<(), HelloError> {
        let bytes = wire::encode(message);
        self.transcript.absorb(&bytes);
        wire::write(self.stream, &bytes).await
    }

    async fn hear(&mut self) -> Result<Message, HelloError> {
        let bytes = wire::read(self.stream).await?;
        self.transcript.absorb(&bytes);
        match wire::decode(&bytes).map_err(HelloError::RefusedByUs)? {
            Message::Refusal(reason) => Err(self.refused(reason.into())),
            message => Ok(message),
        }
    }
}

impl<S> Dialogue<'_, S> {
    /// The peer refuses us. Checking a certificate costs more than making one up, so of those who
    /// come to us only members may bring one; a member that dials proves itself first. Whom we
    /// dial ourselves is limited by our dials.
    fn refused(&self, why: Refusal) -> HelloError {
        let unproven = self.role == Role::Listener && !self.proven;
        match why {
            Refusal::Down { .. } if unproven => HelloError::RefusedByUs(Refusal::Garbage),
            why => HelloError::RefusedByPeer(why),
        }
    }
}

/// The bytes of what a node says of itself.
pub(super) fn introduce(introduction: &Introduction) -> Vec<u8> {
    debug_assert!(introduction.is_within_limits(), "peers will refuse {introduction:?}");
    to_cbor(introduction)
}

fn fresh_nonce() -> Result<[u8; 32], HelloError> {
    let mut nonce = [0; 32];
    SysRng
        .try_fill_bytes(&mut nonce)
        .map_err(|error| HelloError::Broken(format!("the system gives no randomness: {error}")))?;
    Ok(nonce)
}
