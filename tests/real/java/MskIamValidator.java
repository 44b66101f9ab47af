import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Checks the tokens of MSK's IAM authentication: base64url of a URL that is presigned with Signature Version 4 for
 * the service kafka-cluster. Knows one access key, which the JAAS options name.
 */
public final class MskIamValidator implements AuthenticateCallbackHandler {
    private static final DateTimeFormatter AMZ_DATE =
        DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(5);

    private String accessKeyId;
    private String secretAccessKey;

    private record Token(String value, String principalName, long lifetimeMs) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public Long startTimeMs() {
            return null;
        }
    }

    private static final class Refused extends Exception {
        Refused(String why) {
            super(why);
        }
    }

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        Map<String, ?> options = entries.get(0).getOptions();
        accessKeyId = (String) options.get("accessKeyId");
        secretAccessKey = (String) options.get("secretAccessKey");
    }

    @Override
    public void close() {}

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerValidatorCallback validation) {
                try {
                    validation.token(validate(validation.tokenValue()));
                } catch (Refused refused) {
                    System.err.println("IAM token refused: " + refused.getMessage());
                    validation.error("invalid_token", null, null);
                }
            } else if (!(callback instanceof OAuthBearerTokenCallback)) {
                throw new UnsupportedCallbackException(callback);
            }
            // The broker logs in without a token: it opens no connection of its own to this listener.
        }
    }

    private Token validate(String value) throws Refused {
        try {
            return validate(value, new String(Base64.getUrlDecoder().decode(value), StandardCharsets.UTF_8));
        } catch (Refused refused) {
            throw refused;
        } catch (Exception malformed) {
            throw new Refused("malformed: " + malformed);
        }
    }

    private Token validate(String value, String url) throws Exception {
        URI uri = URI.create(url);
        // Stays as it was encoded, because that is what was signed.
        var query = new TreeMap<String, String>();
        for (String pair : uri.getRawQuery().split("&")) {
            String[] nameAndValue = pair.split("=", 2);
            query.put(nameAndValue[0], nameAndValue[1]);
        }
        require("https".equals(uri.getScheme()) && "/".equals(uri.getPath()), "not https://host/");
        require("kafka-cluster:Connect".equals(decoded(query, "Action")), "Action is not kafka-cluster:Connect");
        require("AWS4-HMAC-SHA256".equals(query.get("X-Amz-Algorithm")), "unknown algorithm");
        require("host".equals(query.get("X-Amz-SignedHeaders")), "signed headers are not just host");

        String[] credential = decoded(query, "X-Amz-Credential").split("/", 2);
        require(credential[0].equals(accessKeyId), "unknown access key");
        String[] scope = credential[1].split("/");
        String date = query.get("X-Amz-Date");
        require(scope.length == 4 && date.startsWith(scope[0]), "the scope is of another day");
        require(uri.getHost().equals("kafka." + scope[1] + ".amazonaws.com"), "host and region differ");
        require(scope[2].equals("kafka-cluster") && scope[3].equals("aws4_request"), "another service's scope");

        Instant signed = AMZ_DATE.parse(date, Instant::from);
        Instant expires = signed.plusSeconds(Long.parseLong(query.get("X-Amz-Expires")));
        require(!signed.isAfter(Instant.now().plus(CLOCK_SKEW)), "signed in the future");
        require(expires.isAfter(Instant.now()), "expired");

        String signature = query.remove("X-Amz-Signature");
        // The clients of AWS append it after they have signed.
        query.remove("User-Agent");
        byte[] expected = hex(signature(uri.getHost(), query, date, scope)).getBytes(StandardCharsets.UTF_8);
        require(MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.UTF_8)), "wrong signature");
        return new Token(value, accessKeyId, expires.toEpochMilli());
    }

    private byte[] signature(String host, TreeMap<String, String> query, String date, String[] scope)
            throws Exception {
        var pairs = query.entrySet().stream().map(pair -> pair.getKey() + "=" + pair.getValue()).toList();
        String request = String.join("\n", "GET", "/", String.join("&", pairs), "host:" + host, "", "host", sha256(""));
        String toSign = String.join("\n", "AWS4-HMAC-SHA256", date, String.join("/", scope), sha256(request));
        byte[] key = ("AWS4" + secretAccessKey).getBytes(StandardCharsets.UTF_8);
        for (String part : scope) {
            key = hmac(key, part);
        }
        return hmac(key, toSign);
    }

    private static void require(boolean holds, String otherwise) throws Refused {
        if (!holds) {
            throw new Refused(otherwise);
        }
    }

    private static String decoded(Map<String, String> query, String name) {
        return URLDecoder.decode(query.get(name), StandardCharsets.UTF_8);
    }

    private static byte[] hmac(byte[] key, String data) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(data.getBytes(StandardCharsets.UTF_8));
    }

    private static String sha256(String data) throws Exception {
        return hex(MessageDigest.getInstance("SHA-256").digest(data.getBytes(StandardCharsets.UTF_8)));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
