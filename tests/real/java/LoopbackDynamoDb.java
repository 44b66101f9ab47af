import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

/** DynamoDB Local, in memory. Its own main class listens on every interface and reports its use to AWS. */
public final class LoopbackDynamoDb {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        boolean inMemory = true;
        boolean sharedDb = true;
        boolean delayTransientStatuses = false;
        var requests = new LocalDynamoDBRequestHandler(0, inMemory, null, sharedDb, delayTransientStatuses);
        var server = new Server(new InetSocketAddress("127.0.0.1", port));
        String noCors = null;
        server.setHandler(new LocalDynamoDBServerHandler(requests, noCors));
        server.start();
        server.join();
    }
}
