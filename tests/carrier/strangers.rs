//! Sockets that never come as far as a hello.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::lab;

#[tokio::test]
async fn a_socket_that_never_says_a_byte_and_one_that_says_garbage_are_counted() {
    let node = lab::spawn(lab::lab()).await;
    let address = lab::address(&node).await.to_string();
    let port: u16 = address.split('/').nth(4).unwrap().parse().unwrap();
    let _silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut garbage = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    garbage.write_all(&[0xff; 1024]).await.unwrap();
    lab::eventually("both are counted", async || {
        let stats = node.overview().await.unwrap().stats;
        (stats.silent, stats.broken) == (1, 1)
    })
    .await;
    lab::leave([node]).await;
}
