import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;

/** Tries thrice in place; then the recoverer writes to `invoices-dlt`. */
public class Billing {
    private final Work work;

    public Billing(Work work) {
        this.work = work;
    }

    @KafkaListener(topics = "invoices", groupId = "billing", containerFactory = "recovering")
    public void bill(ConsumerRecord<String, String> record) {
        work.on(record, "InvoiceBooked", "invoices-booked");
    }
}
