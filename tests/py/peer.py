"""A libp2p program in Python that takes part in one topic: `python peer.py TOPIC ADDRESS`.

Each line it reads is published; each message it hears is printed, and `ready` at first.
"""

import sys

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr


async def hear(subscription, me):
    while True:
        message = await subscription.get()
        author = ID(message.from_id)
        if author != me:
            print(author, message.data.decode(), flush=True)


async def main(topic, address):
    host = new_host(
        key_pair=create_new_key_pair(),
        muxer_preference="YAMUX",
        enable_websocket=address.split("/p2p/")[0].endswith("/ws"),
    )
    router = GossipSub(
        protocols=[TProtocol("/meshsub/1.1.0")],
        degree=6,
        degree_low=4,
        degree_high=12,
        heartbeat_initial_delay=0.1,
        heartbeat_interval=1,
        # It drops what is above ten messages a second otherwise, its own too.
        max_messages_per_topic_per_second=1_000,
    )
    pubsub = Pubsub(host, router)
    async with (
        host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]),
        trio.open_nursery() as nursery,
        background_trio_service(pubsub),
        background_trio_service(router),
    ):
        await pubsub.wait_until_ready()
        subscription = await pubsub.subscribe(topic)
        nursery.start_soon(hear, subscription, host.get_id())
        await host.connect(info_from_p2p_addr(Multiaddr(address)))
        while not pubsub.peer_topics.get(topic):
            await trio.sleep(0.01)
        print("ready", host.get_id(), flush=True)
        async for line in trio.wrap_file(sys.stdin):
            await pubsub.publish(topic, line.rstrip("\n").encode())
        nursery.cancel_scope.cancel()


trio.run(main, *sys.argv[1:])
