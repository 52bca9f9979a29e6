//! A stream of bytes that the shaper can disturb.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::task::AtomicWaker;
use futures::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep_until};

use super::lane::Lane;
use super::shaper::{Place, Shaper, Tag};
use crate::base::time::Time;
use crate::net::clock::Clock;

/// Most bytes that a lane takes in one go.
const GULP: usize = 16 * 1024;

/// How long the end of a connection may wait for what is still under way; what would arrive later
/// is lost with it.
const LINGER: Duration = Duration::from_secs(1);

/// A stream below encryption. One task reads and writes it, as yamux does.
pub struct Shaped<S> {
    socket: S,
    /// `None` on a node that must not shape.
    cable: Option<Box<Cable>>,
}

/// What lies between us and the socket.
struct Cable {
    place: Place,
    /// The change of the weather last heard of.
    seen: u64,
    out: Lane,
    inbound: Lane,
    out_timer: Timer,
    in_timer: Timer,
    /// Bytes were given to the socket since it was last flushed.
    unflushed: bool,
    /// How the socket's bytes ended; told behind the last of them.
    end: Option<io::Result<()>>,
}

/// A moment to be woken at.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl<S> Shaped<S> {
    /// Puts the stream under the rules of the shaper, if there is one.
    pub fn new(socket: S, shaper: Option<&Shaper>) -> Self {
        Self { socket, cable: shaper.map(|shaper| Box::new(Cable::new(shaper.seat()))) }
    }

    /// For whoever finds out with whom the stream is.
    pub fn tag(&self) -> Option<Tag> {
        self.cable.as_ref().map(|cable| cable.place.tag())
    }
}

impl<S: Unpin> Shaped<S> {
    /// The socket, and the cable where it makes a difference now.
    fn parts(self: Pin<&mut Self>) -> (Pin<&mut S>, Option<&mut Cable>) {
        let Self { socket, cable } = self.get_mut();
        let cable = cable.as_deref_mut().and_then(|cable| (!cable.is_clear()).then_some(cable));
        (Pin::new(socket), cable)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Shaped<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.parts() {
            (socket, None) => socket.poll_read(cx, buffer),
            (socket, Some(cable)) => cable.read(socket, cx, buffer),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shaped<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.parts() {
            (socket, None) => socket.poll_write(cx, bytes),
            (socket, Some(cable)) => cable.write(socket, cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.parts() {
            (socket, None) => socket.poll_flush(cx),
            (mut socket, Some(cable)) => match cable.send(socket.as_mut(), cx) {
                Poll::Ready(Ok(())) => socket.poll_flush(cx),
                // To TCP a flush is nothing, cable or no cable: nobody is to wait for it for ever.
                Poll::Pending if cable.out.is_cut() => Poll::Ready(Ok(())),
                other => other,
            },
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.parts() {
            (socket, None) => socket.poll_close(cx),
            // The other side does not hear of it; the socket goes when this is dropped.
            (_, Some(cable)) if cable.out.is_cut() => Poll::Ready(Ok(())),
            (mut socket, Some(cable)) => match cable.send(socket.as_mut(), cx) {
                Poll::Ready(Ok(())) => socket.poll_close(cx),
                Poll::Pending if cable.is_far_behind() => Poll::Ready(Ok(())),
                other => other,
            },
        }
    }
}

impl Cable {
    fn new(place: Place) -> Self {
        Self {
            // Everything but the first change of the weather is news.
            seen: 0,
            out: Lane::new(place.seed),
            inbound: Lane::new(!place.seed),
            out_timer: Timer::default(),
            in_timer: Timer::default(),
            unflushed: false,
            end: None,
            place,
        }
    }

    /// Looks at the weather; true when the socket can be used directly.
    fn is_clear(&mut self) -> bool {
        if self.place.seat.version() != self.seen {
            let (seen, weather) = self.place.seat.weather();
            self.seen = seen;
            self.out.change(weather.out);
            self.inbound.change(weather.inbound);
        }
        self.out.is_clear() && self.inbound.is_clear() && !self.unflushed && self.end.is_none()
    }

    /// Whether a close would have to wait for too long.
    fn is_far_behind(&self) -> bool {
        self.out.last_arrival() > self.place.clock.now() + LINGER
    }

    fn read<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut socket: Pin<&mut S>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        // Reading is what goes on as long as a connection lives, so what is under way outwards
        // goes on from here too. An error is told to the next who writes.
        let _ = self.send(socket.as_mut(), cx);
        if self.inbound.is_clear() && self.end.is_none() {
            return socket.poll_read(cx, buffer);
        }
        if self.inbound.is_cut() {
            return self.wait_for_news(&self.place.seat.reader, cx);
        }
        self.receive(socket, cx);
        while let Some(arrival) = self.inbound.next_arrival() {
            if arrival <= self.place.clock.now() {
                return Poll::Ready(Ok(self.hand_over(buffer)));
            }
            if self.in_timer.poll(self.place.clock, arrival, cx).is_pending() {
                return self.wait_for_news(&self.place.seat.reader, cx);
            }
        }
        match self.end.take() {
            Some(end) => Poll::Ready(end.map(|()| 0)),
            // The socket will wake us.
            None => Poll::Pending,
        }
    }

    /// Takes from the socket what has come, as far as there is room.
    fn receive<S: AsyncRead>(&mut self, mut socket: Pin<&mut S>, cx: &mut Context<'_>) {
        let mut bytes = [0; GULP];
        while self.end.is_none() && self.inbound.has_room() {
            match socket.as_mut().poll_read(cx, &mut bytes) {
                Poll::Ready(Ok(0)) => self.end = Some(Ok(())),
                Poll::Ready(Ok(count)) => {
                    let came = bytes.get(..count).unwrap_or_default();
                    self.inbound.push(self.place.clock.now(), came);
                }
                Poll::Ready(Err(error)) => self.end = Some(Err(error)),
                Poll::Pending => return,
            }
        }
    }

    fn hand_over(&mut self, buffer: &mut [u8]) -> usize {
        let arrived = self.inbound.front();
        let count = arrived.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), arrived.get(..count)) {
            to.copy_from_slice(from);
        }
        self.inbound.advance(count);
        count
    }

    fn write<S: AsyncWrite>(
        &mut self,
        mut socket: Pin<&mut S>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.send(socket.as_mut(), cx) {
            Poll::Ready(Ok(())) if self.out.is_clear() => return socket.poll_write(cx, bytes),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            // With our waker it waits for some to go.
            Poll::Pending if !self.out.has_room() => return Poll::Pending,
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        let taken = bytes.get(..GULP).unwrap_or(bytes);
        self.out.push(self.place.clock.now(), taken);
        // Begins to wait for it; an error is told to the next who writes.
        let _ = self.send(socket, cx);
        Poll::Ready(Ok(taken.len()))
    }

    /// Gives the socket what has arrived there. Ready when nothing is under way any more.
    fn send<S: AsyncWrite>(
        &mut self,
        mut socket: Pin<&mut S>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.out.is_cut() {
            return self.wait_for_news(&self.place.seat.writer, cx);
        }
        while let Some(arrival) = self.out.next_arrival() {
            if arrival > self.place.clock.now() {
                if self.out_timer.poll(self.place.clock, arrival, cx).is_pending() {
                    return self.wait_for_news(&self.place.seat.writer, cx);
                }
                continue;
            }
            match ready!(socket.as_mut().poll_write(cx, self.out.front()))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                count => self.out.advance(count),
            }
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(socket.poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until the weather changes, beside whatever else will wake the task.
    fn wait_for_news<T>(&self, waiting: &AtomicWaker, cx: &Context<'_>) -> Poll<T> {
        waiting.register(cx.waker());
        if self.place.seat.version() != self.seen {
            // It changed before anybody could be woken.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Timer {
    /// Ready at this moment.
    fn poll(&mut self, clock: Clock, at: Time, cx: &mut Context<'_>) -> Poll<()> {
        let at = clock.instant(at).into();
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
