// A libp2p program in Node.js that takes part in one topic: `node peer.mjs TOPIC ADDRESS`.
// Each line it reads is published; each message it hears is printed, and `ready` at first.

// js-libp2p 3 is written for Node.js 22. All that 20 lacks is this and `--experimental-websocket`.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((yes, no) => { resolve = yes; reject = no })
  return { promise, resolve, reject }
}
globalThis.CustomEvent ??= class extends Event {
  constructor (name, options) { super(name, options); this.detail = options?.detail }
}

const { createLibp2p } = await import('libp2p')
const { noise } = await import('@chainsafe/libp2p-noise')
const { yamux } = await import('@chainsafe/libp2p-yamux')
const { identify } = await import('@libp2p/identify')
const { gossipsub } = await import('@libp2p/gossipsub')
const { tcp } = await import('@libp2p/tcp')
const { webSockets } = await import('@libp2p/websockets')
const { multiaddr } = await import('@multiformats/multiaddr')
const { createInterface } = await import('node:readline')

const [topic, address] = process.argv.slice(2)

// The id of the pubsub specification: the author's bytes, then the number in 8 bytes.
function id ({ from, sequenceNumber }) {
  const author = from.toMultihash().bytes
  const name = new Uint8Array(author.length + 8)
  name.set(author)
  new DataView(name.buffer).setBigUint64(author.length, sequenceNumber)
  return name
}

const node = await createLibp2p({
  transports: [tcp(), webSockets()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  // In a browser this would also have to allow private addresses.
  connectionGater: { denyDialMultiaddr: () => false },
  services: {
    identify: identify(),
    pubsub: gossipsub({ msgIdFn: id, fallbackToFloodsub: false })
  }
})
const { pubsub } = node.services
pubsub.addEventListener('message', ({ detail }) => {
  console.log(`${detail.from} ${new TextDecoder().decode(detail.data)}`)
})
pubsub.subscribe(topic)
await node.dial(multiaddr(address))
while (pubsub.getSubscribers(topic).length === 0) {
  await new Promise((resolve) => setTimeout(resolve, 10))
}
console.log(`ready ${node.peerId}`)

for await (const line of createInterface({ input: process.stdin })) {
  await pubsub.publish(topic, new TextEncoder().encode(line))
}
await node.stop()
