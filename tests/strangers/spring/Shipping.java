import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.retrytopic.TopicSuffixingStrategy;
import org.springframework.retry.annotation.Backoff;

/** Tries thrice: `shipments`, `shipments-retry-0`, `shipments-retry-1`, then `shipments-dlt`. */
public class Shipping {
    private final Work work;

    public Shipping(Work work) {
        this.work = work;
    }

    @RetryableTopic(
        attempts = "3",
        backoff = @Backoff(delay = 200, multiplier = 2),
        topicSuffixingStrategy = TopicSuffixingStrategy.SUFFIX_WITH_INDEX_VALUE)
    @KafkaListener(topics = "shipments", groupId = "shipping")
    public void ship(ConsumerRecord<String, String> record) {
        work.on(record, "ShipmentSent", "shipments-sent");
    }
}
