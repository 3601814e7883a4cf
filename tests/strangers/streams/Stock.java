import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/** Adds up what is a number and has a dead letter topic for the rest: `java Stock BROKER STATE`. */
public class Stock {
    public static void main(String[] arguments) throws InterruptedException {
        var settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "stock");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[1]);
        settings.put("auto.offset.reset", "earliest");
        settings.put(
            StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
            LogAndContinueExceptionHandler.class);
        settings.put(
            StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
            LogAndContinueProcessingExceptionHandler.class);
        settings.put(StreamsConfig.ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME_CONFIG, "stock-dlq");
        var builder = new StreamsBuilder();
        // Four bytes make an integer; a value below zero is a bug of ours.
        builder.stream("stock", Consumed.with(Serdes.String(), Serdes.Integer()))
            .mapValues(Stock::checked)
            .to("stock-checked", Produced.with(Serdes.String(), Serdes.Integer()));
        var streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        Thread.currentThread().join();
    }

    private static Integer checked(Integer pieces) {
        if (pieces < 0) {
            var cause = new ArithmeticException(pieces + " pieces are less than none");
            throw new IllegalStateException("The stock is wrong", cause);
        }
        return pieces;
    }
}
