use std::future::pending;

use tokio::io::AsyncReadExt;
use url::Url;

use super::*;

/// What is answered to these bytes before the connection ends.
async fn answer(bytes: &[u8]) -> String {
    let (vars, _serving) = serve(pending()).await.unwrap();
    let url: Url = vars.get("CACHE_URL").unwrap().parse().unwrap();
    let mut stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn without_the_password_nothing_is_answered() {
    let get = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    assert_eq!(answer(get).await, "-NOAUTH Authentication required.\r\n");
    let auth = b"*2\r\n$4\r\nAUTH\r\n$7\r\na-guess\r\n";
    let both = answer(&[&auth[..], get].concat()).await;
    assert_eq!(
        both.lines().collect::<Vec<_>>(),
        ["-WRONGPASS invalid username-password pair", "-NOAUTH Authentication required."]
    );
}

#[tokio::test]
async fn what_is_no_command_ends_the_connection() {
    for bytes in [
        &b"GET /v1/users HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"*99999\r\n",
        b"*1\r\n$99999999999\r\n",
        b"*1\r\n$4\r\n\xff\xff\xff\xff\r\n",
        b"*-1\r\n",
        b"*2\r\n$3\r\nGET\r\n",
        &[b'*'; 100],
    ] {
        assert_eq!(answer(bytes).await, "", "{}", String::from_utf8_lossy(bytes));
    }
}
