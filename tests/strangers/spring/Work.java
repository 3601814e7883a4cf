import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.core.KafkaTemplate;

/** Fails as the record asks (`"fail":"nested"` or `"ids"`) until the switch's file is there. */
public class Work {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\": ?\"([^\"]*)\"");
    private final KafkaTemplate<Object, Object> template;
    private final Path open = Path.of(System.getProperty("switch"));

    public Work(KafkaTemplate<Object, Object> template) {
        this.template = template;
    }

    /** Send one effect of the record to a topic, or throw. */
    public void on(ConsumerRecord<String, String> record, String type, String topic) {
        String value = record.value();
        if (!Files.exists(open)) {
            fail(field(value, "fail"), field(value, "orderId"));
        }
        String body = """
            {"eventId":"%s","eventType":"%s","correlationId":"%s","causationId":"%s","payload":{}}"""
            .formatted(
                UUID.randomUUID(), type, field(value, "correlationId"), field(value, "eventId"));
        template.send(topic, record.key(), body);
    }

    private static void fail(String how, String order) {
        if (how.equals("ids")) {
            throw new IllegalArgumentException(
                "Order " + order + " of customer " + UUID.randomUUID() + " is worth "
                    + System.nanoTime() % 1000 + ".50 too much");
        }
        if (how.equals("nested")) {
            var down = new ConnectException("Connection refused: ledger/10.0.0.7:5432");
            var cause = new IllegalStateException("Could not reach the ledger", down);
            throw new RuntimeException("Could not book " + order, cause);
        }
    }

    private static String field(String value, String name) {
        var match = FIELD.matcher(value);
        while (match.find()) {
            if (match.group(1).equals(name)) {
                return match.group(2);
            }
        }
        return "";
    }
}
