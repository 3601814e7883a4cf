// The first producer of every tutorial: no schema version, no correlation id.
//
//   node first.js BROKER TOPIC ORDER_ID CODEC
//
// Prints the event's id as JSON, when the broker has acknowledged it.
const { randomUUID } = require('node:crypto')
const { Kafka, CompressionCodecs, CompressionTypes, logLevel } = require('kafkajs')

const [broker, topic, orderId, codec] = process.argv.slice(2)

const types = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

// What kafkajs leaves to packages of others.
const codecs = {
  snappy: async () => require('kafkajs-snappy'),
  lz4: async () => {
    const lz4 = require('lz4js')
    return () => ({ compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)) })
  },
  zstd: async () => {
    const { ZstdCodec } = require('zstd-codec')
    const zstd = await new Promise((resolve) => ZstdCodec.run(resolve))
    const simple = new zstd.Simple()
    return () => ({ compress: async (encoder) => Buffer.from(simple.compress(encoder.buffer)) })
  },
}

const run = async () => {
  if (codecs[codec]) CompressionCodecs[types[codec]] = await codecs[codec]()
  const kafka = new Kafka({ clientId: 'order-service', brokers: [broker], logLevel: logLevel.ERROR })
  const producer = kafka.producer()
  await producer.connect()
  const eventId = randomUUID()
  const event = {
    eventId,
    eventType: 'OrderPlaced',
    timestamp: new Date().toISOString(),
    payload: { orderId, customerId: 'CUST-9', note: 'x'.repeat(2000) },
  }
  await producer.send({
    topic,
    compression: types[codec],
    messages: [{ key: orderId, value: JSON.stringify(event) }],
  })
  await producer.disconnect()
  console.log(JSON.stringify({ eventId }))
}

run().catch((error) => {
  console.error(error)
  process.exit(1)
})
