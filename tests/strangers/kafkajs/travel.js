// A travel agency's services, told what happens: each argument is BOOKING:EventType.
//
//   node travel.js BROKER TOPIC CORRELATION_ID BOOKING:EventType ...
const { randomUUID } = require('node:crypto')
const { Kafka, logLevel } = require('kafkajs')

const [broker, topic, correlationId, ...told] = process.argv.slice(2)

const run = async () => {
  const kafka = new Kafka({ clientId: 'travel', brokers: [broker], logLevel: logLevel.ERROR })
  const producer = kafka.producer({ allowAutoTopicCreation: true })
  await producer.connect()
  for (const one of told) {
    const [bookingId, eventType] = one.split(':')
    const event = {
      eventId: randomUUID(),
      eventType,
      timestamp: new Date().toISOString(),
      correlationId,
      payload: { bookingId, reason: eventType.endsWith('Refused') ? 'sold out' : undefined },
    }
    await producer.send({ topic, messages: [{ key: correlationId, value: JSON.stringify(event) }] })
  }
  await producer.disconnect()
}

run().catch((error) => {
  console.error(error)
  process.exit(1)
})
