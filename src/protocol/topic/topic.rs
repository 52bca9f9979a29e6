//! The name and the type of what is talked about.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::base::codec::Cbor;

/// A topic: a name, the type `T` of its messages, and the codec `C` that writes them.
///
/// The same name is the same topic on every node; type and codec must agree as well, or readers
/// cannot decode what comes. A name has 1 to 256 bytes without control characters; it is checked
/// when the topic is published on or subscribed to, because a constant cannot fail.
///
/// Names have levels, separated by `/`. In what is subscribed to, the level `*` stands for any one
/// level and `>` at the end for one level or more, so `Topic::new("rooms/*")` reads `rooms/kitchen`
/// and `Topic::new(">")` all topics. Nothing can be published on such a pattern, and no door
/// carries one.
///
/// ```
/// use gossip_mesh::{Json, Topic};
///
/// const CHAT: Topic<String> = Topic::new("chat");
/// const PLACES: Topic<(f64, f64), Json> = Topic::new("places").foreign();
///
/// assert_eq!(CHAT.name(), "chat");
/// assert!(PLACES.is_foreign());
/// const LOG: Topic<String> = Topic::new("log").compressed();
/// assert!(LOG.is_compressed());
/// let room: Topic<String> = Topic::named(format!("room/{}", 7));
/// assert_eq!(room.name(), "room/7");
/// ```
pub struct Topic<T, C = Cbor> {
    name: Cow<'static, str>,
    foreign: bool,
    compressed: bool,
    // A topic neither owns nor borrows a `T`, so it is `Send` and `Sync` whatever `T` is.
    kind: PhantomData<fn() -> (T, C)>,
}

impl<T, C> Topic<T, C> {
    /// The topic of this name, as a constant.
    ///
    /// ```
    /// # use gossip_mesh::Topic;
    /// use gossip_mesh::{Json, Raw};
    /// const CHAT: Topic<String> = Topic::new("chat");
    /// const FRAMES: Topic<Vec<u8>, Raw> = Topic::new("camera/frames");
    /// const FOR_OTHERS: Topic<u32, Json> = Topic::new("numbers");
    /// assert_eq!(FRAMES.name(), "camera/frames");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), foreign: false, compressed: false, kind: PhantomData }
    }

    /// The topic of a name that is only known when the program runs.
    ///
    /// ```
    /// # use gossip_mesh::Topic;
    /// let room = 7;
    /// let warmth = Topic::<f32>::named(format!("rooms/{room}/warmth"));
    /// assert_eq!(warmth.name(), "rooms/7/warmth");
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        let name = Cow::Owned(name.into());
        Self { name, foreign: false, compressed: false, kind: PhantomData }
    }

    /// The same topic, marked as one that doors carry: nodes with an open door pass its bare
    /// payloads to and from libp2p programs that are no members.
    ///
    /// ```
    /// # use gossip_mesh::Topic;
    /// use gossip_mesh::Raw;
    /// const OPEN: Topic<Vec<u8>, Raw> = Topic::new("open").foreign();
    /// assert!(OPEN.is_foreign());
    /// ```
    #[must_use]
    pub const fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    /// The same topic, whose messages travel compressed (LZ4): what is published by this constant
    /// is compressed once, all messages of a batch together, and expanded where it is read. What
    /// would hardly become smaller travels as it is.
    ///
    /// Readers need not say so: it is the publisher's choice. `topic.max_message_bytes` holds for
    /// messages as they are, before compression and after expansion.
    ///
    /// ```
    /// # use gossip_mesh::Topic;
    /// const LINES: Topic<String> = Topic::new("lines").compressed();
    /// assert!(LINES.is_compressed());
    /// ```
    #[must_use]
    pub const fn compressed(mut self) -> Self {
        self.compressed = true;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether doors carry it.
    pub const fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Whether what is published by it is compressed.
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }
}

// Derived, these would ask the same of `T` and `C`.
impl<T, C> Clone for Topic<T, C> {
    fn clone(&self) -> Self {
        let Self { name, foreign, compressed, kind } = self;
        Self { name: name.clone(), foreign: *foreign, compressed: *compressed, kind: *kind }
    }
}

impl<T, C> fmt::Debug for Topic<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("name", &self.name)
            .field("foreign", &self.foreign)
            .field("compressed", &self.compressed)
            .finish_non_exhaustive()
    }
}
