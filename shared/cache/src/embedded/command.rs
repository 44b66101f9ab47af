//! How a command comes: <https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server>.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// What a client may make us allocate before we know it.
const MAX_WORDS: usize = 64;
const MAX_WORD_BYTES: usize = 16 * 1024 * 1024;

/// A command's words, its name first. `None` at the connection's end.
///
/// # Errors
/// When the connection fails, or what comes is no command.
pub(super) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<String>>> {
    let Some(count) = length(reader, '*', MAX_WORDS).await? else { return Ok(None) };
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let length = length(reader, '$', MAX_WORD_BYTES).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut word = vec![0; length + "\r\n".len()];
        reader.read_exact(&mut word).await?;
        word.truncate(length);
        words.push(String::from_utf8(word).map_err(|_| io::ErrorKind::InvalidData)?);
    }
    Ok(Some(words))
}

/// The number in a line such as `*2` or `$5`. `None` at the end.
async fn length(
    reader: &mut (impl AsyncBufRead + Unpin),
    kind: char,
    max: usize,
) -> io::Result<Option<usize>> {
    let mut line = String::new();
    if reader.take(32).read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let number = line.strip_prefix(kind).and_then(|number| number.strip_suffix("\r\n")?.parse().ok());
    Ok(Some(number.filter(|number| *number <= max).ok_or(io::ErrorKind::InvalidData)?))
}
