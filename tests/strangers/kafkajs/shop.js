// An order and its effects, sent the way every kafkajs tutorial sends them.
//
//   node shop.js BROKER TOPIC ORDER_ID
//
// Prints one line of JSON for each event, when the broker has acknowledged it.
const { randomUUID } = require('node:crypto')
const { Kafka, logLevel } = require('kafkajs')

const [broker, topic, orderId] = process.argv.slice(2)

const kafka = new Kafka({
  clientId: 'order-service',
  brokers: [broker],
  logLevel: logLevel.ERROR,
})
const producer = kafka.producer({ allowAutoTopicCreation: true })

const correlationId = randomUUID()

const publish = async (eventType, source, payload, causationId) => {
  const eventId = randomUUID()
  await producer.send({
    topic,
    messages: [
      {
        key: orderId,
        value: JSON.stringify({
          eventId,
          eventType,
          schemaVersion: 1,
          timestamp: new Date().toISOString(),
          correlationId,
          causationId,
          payload,
        }),
        headers: { 'event-type': eventType, source },
      },
    ],
  })
  console.log(JSON.stringify({ eventId, eventType, correlationId, ackedMs: Date.now() }))
  return eventId
}

const run = async () => {
  await producer.connect()
  const items = [{ productId: 'PRD-7', quantity: 2 }]
  const placed = await publish('OrderPlaced', 'order-service', { orderId, items })
  const reserved = await publish('StockReserved', 'inventory-service', { orderId, items }, placed)
  const paid = await publish('PaymentProcessed', 'payment-service', { orderId, amount: 59.9 }, reserved)
  const shipped = await publish('ShipmentCreated', 'shipping-service', { orderId }, paid)
  await publish('OrderCompleted', 'order-service', { orderId }, shipped)
  await producer.disconnect()
}

run().catch((error) => {
  console.error(error)
  process.exit(1)
})
