//! A node that has nothing to do does nothing.

use std::time::Duration;

use crate::lab;

#[tokio::test]
async fn an_idle_pair_wakes_up_less_than_fifty_times_a_second() {
    let (one, two) = lab::pair(lab::lab()).await;
    let ticks = async || {
        let one = one.overview().await.unwrap().stats.ticks;
        one.max(two.overview().await.unwrap().stats.ticks)
    };
    let before = ticks().await;
    let seconds = 3;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let rate = (ticks().await - before) / seconds;
    assert!(rate < 50, "{rate} times a second");
    lab::leave([one, two]).await;
}
