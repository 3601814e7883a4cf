// An order in Avro, the way the registry client's documentation sends it.
//
//   node registered.js BROKER REGISTRY TOPIC
//
// Prints the event's id and the schema's.
const { randomUUID } = require('node:crypto')
const { Kafka, logLevel } = require('kafkajs')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const [broker, host, topic] = process.argv.slice(2)

const registry = new SchemaRegistry({ host })
const schema = {
  type: 'record',
  name: 'OrderEnvelope',
  namespace: 'shop',
  fields: [
    { name: 'eventId', type: 'string' },
    { name: 'eventType', type: 'string' },
    { name: 'correlationId', type: 'string' },
    {
      name: 'payload',
      type: { type: 'record', name: 'Order', fields: [{ name: 'orderId', type: 'string' }] },
    },
  ],
}

const run = async () => {
  const subject = `${topic}-value`
  const { id } = await registry.register(
    { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
    { subject },
  )
  const eventId = randomUUID()
  const payload = { orderId: 'ORD-9' }
  const value = await registry.encode(id, {
    eventId,
    eventType: 'OrderPlaced',
    correlationId: eventId,
    payload,
  })
  const back = await registry.decode(value)
  if (back.eventId !== eventId) throw new Error('decoded something else')
  const latest = await registry.getLatestSchemaId(subject)
  if (latest !== id) throw new Error(`the latest is ${latest}`)
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'ORD-9', value }] })
  await producer.disconnect()
  console.log(JSON.stringify({ eventId, id }))
}

run().catch((error) => {
  console.error(error)
  process.exit(1)
})
