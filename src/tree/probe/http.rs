//! One question over HTTP: is there an answer with a status from 200 to 399?

use std::io;
use std::sync::Arc;

use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::TryFailure;
use crate::rt;

/// The head of an answer may be this long.
const MAX_HEAD: usize = 16 * 1024;
/// And have so many header lines.
const MAX_HEADERS: usize = 100;

/// A URL that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target<'a> {
    /// As in the `Host` header.
    host: &'a str,
    /// To connect to: `host:port`.
    address: String,
    /// Path and query.
    path: &'a str,
}

impl<'a> Target<'a> {
    fn parse(url: &'a str) -> Result<Self, &'static str> {
        if url.starts_with("https://") {
            return Err("https is not spoken here; ask with exec, or on a port without TLS");
        }
        let rest = url
            .strip_prefix("http://")
            .ok_or("it does not begin with http://")?;
        if url.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err("it has a space or a control character in it");
        }
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        if host.is_empty() || host.contains('@') {
            return Err("it names no plain host");
        }
        // A colon inside brackets belongs to an IPv6 address.
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.contains(']'));
        let address = if has_port {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        Ok(Self {
            host,
            address,
            path,
        })
    }

    fn request(&self) -> String {
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        format!(
            "GET {slash}{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: treewright/{version}\r\n\
             Accept: */*\r\nConnection: close\r\n\r\n",
            path = self.path,
            host = self.host,
            version = env!("CARGO_PKG_VERSION"),
        )
    }
}

/// Asks; success is a whole head of an answer with a status from 200 to 399. The body is not read.
///
/// The time is the caller's: an answer that drips is dropped with this future.
pub(super) async fn ask(url: &str) -> Result<(), TryFailure> {
    let target = Target::parse(url).map_err(|why| TryFailure::Url {
        url: url.to_owned(),
        why,
    })?;
    let no_answer = |error: io::Error| TryFailure::NoAnswer {
        url: url.to_owned(),
        source: Arc::new(error),
    };
    let mut stream =
        rt::connect_tcp(&target.address)
            .await
            .map_err(|error| TryFailure::Connect {
                address: target.address.clone(),
                source: Arc::new(error),
            })?;
    let request = target.request();
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(no_answer)?;
    let mut head = Vec::new();
    let mut portion = [0; 4096];
    loop {
        let count = stream.read(&mut portion).await.map_err(no_answer)?;
        if count == 0 {
            return Err(no_answer(io::ErrorKind::UnexpectedEof.into()));
        }
        head.extend_from_slice(&portion[..count]);
        let status = status_of(&mut head).map_err(|why| TryFailure::NotHttp {
            url: url.to_owned(),
            why,
        })?;
        match status {
            None => {}
            Some(200..=399) => return Ok(()),
            Some(status) => {
                return Err(TryFailure::Status {
                    url: url.to_owned(),
                    status,
                });
            }
        }
    }
}

/// The status of the answer, once its head is whole. Interim answers are taken off the front.
fn status_of(head: &mut Vec<u8>) -> Result<Option<u16>, String> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let end = match answer.parse(head) {
            Ok(httparse::Status::Complete(end)) => end,
            Ok(httparse::Status::Partial) if head.len() > MAX_HEAD => {
                return Err(format!("its head is longer than {MAX_HEAD} bytes"));
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        match answer.code {
            Some(100 | 102..=199) => head.drain(..end),
            code => return Ok(code),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, host, address, path) in [
            ("http://a", "a", "a:80", ""),
            ("http://a/", "a", "a:80", "/"),
            ("http://a:8080/b/c?d=e#f", "a:8080", "a:8080", "/b/c?d=e"),
            ("http://a?q", "a", "a:80", "?q"),
            ("http://[::1]/x", "[::1]", "[::1]:80", "/x"),
            ("http://[::1]:81/x", "[::1]:81", "[::1]:81", "/x"),
        ] {
            let expected = Target {
                host,
                address: address.to_owned(),
                path,
            };
            assert_eq!(Target::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn urls_that_cannot_be_asked_are_refused() {
        for url in [
            "https://a",
            "a:80",
            "http://",
            "http:///x",
            "http://u:p@a/",
            "http://a/b c",
            "http://a/\r\nX: y",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn request_has_a_path_whatever_the_url() {
        let line = |url| {
            let request = Target::parse(url).unwrap().request();
            request.lines().next().unwrap().to_owned()
        };
        assert_eq!(line("http://a"), "GET / HTTP/1.1");
        assert_eq!(line("http://a?q"), "GET /?q HTTP/1.1");
        assert_eq!(line("http://a/b"), "GET /b HTTP/1.1");
    }

    #[test]
    fn status_is_known_when_the_head_is_whole() {
        let status = |head: &str| status_of(&mut head.as_bytes().to_vec());
        assert_eq!(status("HTTP/1.1 20"), Ok(None));
        assert_eq!(status("HTTP/1.1 200 OK\r\nA: b\r\n"), Ok(None));
        assert_eq!(status("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), Ok(Some(200)));
        assert_eq!(status("HTTP/1.0 503\r\n\r\nbody"), Ok(Some(503)));
        assert_eq!(
            status("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\n\r\n"),
            Ok(Some(302))
        );
        assert!(status("SSH-2.0-OpenSSH\r\n").is_err());
        assert!(
            status(
                &"HTTP/1.1 200 OK\r\nA: "
                    .chars()
                    .chain("x".repeat(MAX_HEAD).chars())
                    .collect::<String>()
            )
            .is_err()
        );
    }
}
