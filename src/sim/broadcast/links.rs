//! Who is linked with whom, and which links are in the mesh: flat arrays, a row per node.

use super::tick::Tick;

/// The far end is in this node's mesh.
const MESH: u8 = 1;

/// This node dialled.
const DIALLED: u8 = 2;

/// Rows of links. Both ends hold the link; each has its own view of the mesh.
#[derive(Debug)]
pub struct Links {
    capacity: usize,
    lengths: Vec<u16>,
    peers: Vec<u32>,
    flags: Vec<u8>,
    /// Until when the peer is left alone after a prune.
    quiet: Vec<Tick>,
}

/// A place in the arrays: one end of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct End(u32);

impl End {
    fn place(self) -> usize {
        self.0 as usize
    }
}

impl Links {
    /// No links yet; no node can have more than `capacity`.
    pub fn new(nodes: usize, capacity: usize) -> Self {
        Self {
            capacity,
            lengths: vec![0; nodes],
            peers: vec![0; nodes * capacity],
            flags: vec![0; nodes * capacity],
            quiet: vec![Tick::default(); nodes * capacity],
        }
    }

    /// The most links of a node.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Links of a node.
    pub fn count(&self, node: u32) -> usize {
        usize::from(self.lengths[node as usize])
    }

    /// Whether the node can have one more.
    pub fn has_room(&self, node: u32) -> bool {
        self.count(node) < self.capacity
    }

    /// The node's ends of its links.
    pub fn ends(&self, node: u32) -> impl Iterator<Item = End> + use<> {
        let first = node as usize * self.capacity;
        // `nodes * capacity` is checked to fit by the scenario.
        (first..first + self.count(node)).map(|place| End(place as u32))
    }

    /// The node's end of its link with a peer.
    pub fn find(&self, node: u32, peer: u32) -> Option<End> {
        self.ends(node).find(|end| self.peer(*end) == peer)
    }

    /// Who is at the far end.
    pub fn peer(&self, end: End) -> u32 {
        self.peers[end.place()]
    }

    /// Links two nodes; false where a link is, or where one of them has no room.
    pub fn link(&mut self, dialler: u32, peer: u32) -> bool {
        let fits = dialler != peer && self.has_room(dialler) && self.has_room(peer);
        if !fits || self.find(dialler, peer).is_some() {
            return false;
        }
        self.append(dialler, peer, DIALLED);
        self.append(peer, dialler, 0);
        true
    }

    fn append(&mut self, node: u32, peer: u32, flags: u8) {
        let place = node as usize * self.capacity + self.count(node);
        self.peers[place] = peer;
        self.flags[place] = flags;
        self.quiet[place] = Tick::default();
        self.lengths[node as usize] += 1;
    }

    /// Ends all links of a node, at both ends.
    pub fn unlink_all(&mut self, node: u32) {
        for end in self.ends(node) {
            if let Some(other) = self.find(self.peer(end), node) {
                self.drop_end(self.peer(end), other);
            }
        }
        self.lengths[node as usize] = 0;
    }

    /// The last link takes the place of the one that ends.
    fn drop_end(&mut self, node: u32, end: End) {
        let last = node as usize * self.capacity + self.count(node) - 1;
        self.peers[end.place()] = self.peers[last];
        self.flags[end.place()] = self.flags[last];
        self.quiet[end.place()] = self.quiet[last];
        self.lengths[node as usize] -= 1;
    }

    /// Whether the far end is in this node's mesh.
    pub fn in_mesh(&self, end: End) -> bool {
        self.flags[end.place()] & MESH != 0
    }

    /// Takes the far end into this node's mesh, or out of it.
    pub fn set_mesh(&mut self, end: End, inside: bool) {
        let flags = &mut self.flags[end.place()];
        *flags = if inside { *flags | MESH } else { *flags & !MESH };
    }

    /// Whether this end dialled.
    pub fn dialled(&self, end: End) -> bool {
        self.flags[end.place()] & DIALLED != 0
    }

    /// Peers in a node's mesh.
    pub fn mesh_count(&self, node: u32) -> usize {
        self.ends(node).filter(|end| self.in_mesh(*end)).count()
    }

    /// Whether the far end is left alone after a prune.
    pub fn is_quiet(&self, end: End, now: Tick) -> bool {
        self.quiet[end.place()] > now
    }

    /// Leaves the far end alone.
    pub fn keep_quiet(&mut self, end: End, until: Tick) {
        self.quiet[end.place()] = until;
    }
}
