import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.annotation.EnableKafka;
import org.springframework.kafka.annotation.EnableKafkaRetryTopic;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.serializer.DelegatingByTypeSerializer;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.backoff.FixedBackOff;

/** A service as Spring's reference documentation builds it: `java Service BROKER SWITCH`. */
@Configuration
@EnableKafka
@EnableKafkaRetryTopic
@Import({Work.class, Billing.class, Shipping.class})
public class Service {
    public static void main(String[] arguments) throws InterruptedException {
        System.setProperty("broker", arguments[0]);
        System.setProperty("switch", arguments[1]);
        var context = new AnnotationConfigApplicationContext(Service.class);
        context.registerShutdownHook();
        System.out.println("The service has started");
        Thread.currentThread().join();
    }

    private static Map<String, Object> broker() {
        var settings = new HashMap<String, Object>();
        settings.put("bootstrap.servers", System.getProperty("broker"));
        return settings;
    }

    @Bean
    public KafkaAdmin admin() {
        return new KafkaAdmin(broker());
    }

    @Bean
    public ConsumerFactory<String, String> consumerFactory() {
        var settings = broker();
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        var key = new ErrorHandlingDeserializer<>(new Strict());
        var value = new ErrorHandlingDeserializer<>(new Strict());
        return new DefaultKafkaConsumerFactory<>(settings, () -> key, () -> value);
    }

    /** What could not be read goes on as the bytes that it is. */
    @Bean
    public ProducerFactory<Object, Object> producerFactory() {
        return new DefaultKafkaProducerFactory<>(
            broker(), Service::serializer, Service::serializer);
    }

    private static DelegatingByTypeSerializer serializer() {
        return new DelegatingByTypeSerializer(
            Map.of(byte[].class, new ByteArraySerializer(), String.class, new StringSerializer()));
    }

    @Bean
    public KafkaTemplate<Object, Object> kafkaTemplate(ProducerFactory<Object, Object> factory) {
        return new KafkaTemplate<>(factory);
    }

    @Bean
    public TaskScheduler scheduler() {
        return new ThreadPoolTaskScheduler();
    }

    /** Retry topics set an error handler of their own in the containers that they make. */
    @Bean
    public ConcurrentKafkaListenerContainerFactory<String, String> kafkaListenerContainerFactory(
        ConsumerFactory<String, String> consumers) {
        var factory = new ConcurrentKafkaListenerContainerFactory<String, String>();
        factory.setConsumerFactory(consumers);
        return factory;
    }

    @Bean
    public ConcurrentKafkaListenerContainerFactory<String, String> recovering(
        ConsumerFactory<String, String> consumers, KafkaTemplate<Object, Object> template) {
        var factory = new ConcurrentKafkaListenerContainerFactory<String, String>();
        factory.setConsumerFactory(consumers);
        factory.setCommonErrorHandler(
            new DefaultErrorHandler(
                new DeadLetterPublishingRecoverer(template), new FixedBackOff(50, 2)));
        return factory;
    }
}
