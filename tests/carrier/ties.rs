//! Two connections with one peer.

use std::time::Duration;

use crate::lab::{self, LOAD, load, take};

/// Messages of each side, published while the tie is cut.
const COUNT: u32 = 2_000;

/// gossipsub alone gave 30 to 100 of 400 messages out of order in 37 of 40 attempts, and lost 6
/// and 7 in one: the losing connection had taken them.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_dial_each_other_at_once_lose_nothing_and_keep_the_order() {
    for attempt in 0..20 {
        let (one, two) = tokio::join!(lab::spawn(lab::lab()), lab::spawn(lab::lab()));
        let mut at_one = one.subscribe(LOAD).await.unwrap();
        let mut at_two = two.subscribe(LOAD).await.unwrap();
        let (there, back) = (lab::address(&two).await, lab::address(&one).await);
        // One of them may find the link made already.
        let _ = tokio::join!(one.connect(there), two.connect(back));
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        for number in 0..COUNT {
            // Long enough for the losing connection to be closed under way.
            if number % 40 == 0 {
                pace.tick().await;
            }
            one.publish(LOAD, &load(number, 100)).await.unwrap();
            two.publish(LOAD, &load(number, 100)).await.unwrap();
        }
        let wanted: Vec<u32> = (0..COUNT).collect();
        assert_eq!(take(&mut at_one, COUNT as usize).await, wanted, "attempt {attempt}");
        assert_eq!(take(&mut at_two, COUNT as usize).await, wanted, "attempt {attempt}");
        lab::leave([one, two]).await;
    }
}
