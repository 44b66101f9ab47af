import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The client of this crate's tests: "create TOPIC", "produce TOPIC VALUE" or "consume TOPIC", then settings. */
public final class KafkaProbe {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    public static void main(String[] args) throws Exception {
        int words = args[0].equals("produce") ? 3 : 2;
        Map<String, Object> settings = new HashMap<>();
        settings.put("request.timeout.ms", "10000");
        settings.put("default.api.timeout.ms", "20000");
        for (String setting : List.of(args).subList(words, args.length)) {
            String[] nameAndValue = setting.split("=", 2);
            settings.put(nameAndValue[0], nameAndValue[1]);
        }
        switch (args[0]) {
            case "create" -> create(settings, args[1]);
            case "produce" -> produce(settings, args[1], args[2]);
            case "consume" -> consume(settings, args[1]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void create(Map<String, Object> settings, String topic) throws Exception {
        try (var admin = Admin.create(settings)) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
    }

    private static void produce(Map<String, Object> settings, String topic, String value) throws Exception {
        settings.put("acks", "all");
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, value)).get();
        }
    }

    private static void consume(Map<String, Object> settings, String topic) {
        settings.putAll(Map.of("group.id", "probe", "auto.offset.reset", "earliest"));
        var deadline = Instant.now().plus(LIMIT);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (Instant.now().isBefore(deadline)) {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    System.out.println(record.value());
                    return;
                }
            }
        }
        throw new IllegalStateException("no record within " + LIMIT);
    }
}
