//! Runs the same functions against memory, a directory and a real S3 server.

use base::Seams;
use storage::{Config, Objects, Store};
use testkit::{S3Server, TestLake};

/// A fresh store and the users' key space over it.
pub struct Bench {
    pub store: Store,
    pub objects: Objects,
    pub config: Config,
}

impl Bench {
    fn new(store: Store) -> Self {
        let config = Config { object_limit: base::ByteSize::mib(24), ..testkit::lake::config() };
        Self { objects: Objects::new(store.clone(), &config), store, config }
    }
}

macro_rules! contract {
    ($($room:ident::$name:ident,)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                crate::$room::$name(super::Bench::new(testkit::lake::memory().await)).await;
            })*
        }

        mod directory {
            $(#[tokio::test]
            async fn $name() {
                let lake = super::TestLake::open().await;
                crate::$room::$name(super::Bench::new(lake.store.clone())).await;
            })*
        }

        /// One server for all, each function in a lake of its own.
        #[tokio::test]
        async fn s3() {
            let Some(server) = S3Server::start("storage::contract::s3") else { return };
            $({
                let location = server.location(concat!("lakes/", stringify!($name)));
                let store = Store::open(&location, &server.config(), Seams::system()).await.expect("a store on S3");
                crate::$room::$name(Bench::new(store)).await;
            })*
            let store = Store::open(&server.location(""), &server.config(), Seams::system()).await;
            crate::store::bytes_come_back_as_they_were_put(Bench::new(store.expect("the whole bucket"))).await;
        }
    };
}

contract! {
    store::bytes_come_back_as_they_were_put,
    store::ranges_are_cut_at_the_end,
    store::absent_objects_are_not_found,
    store::a_create_never_replaces,
    store::of_racing_creators_one_wins,
    store::a_put_replaces_and_changes_the_etag,
    store::a_copy_outlives_its_source,
    store::lists_are_sorted_and_paged,
    store::lists_begin_with_any_text,
    store::lists_may_begin_after_any_text,
    store::a_large_object_is_written_in_pieces,
    store::a_dropped_writer_leaves_nothing,
    store::bytes_can_be_written_through_async_write,
    cache::objects_are_read_in_place,
    objects::keys_come_back_exactly_as_they_were_put,
    objects::a_put_tells_what_it_stored,
    objects::if_absent_holds_for_small_and_large,
    objects::if_matches_holds_for_small_and_large,
    objects::a_delete_can_be_for_one_write_only,
    objects::a_key_that_is_a_prefix_of_another_is_refused,
    objects::a_removed_key_gives_way,
    objects::bounds_of_lists_are_texts_among_the_keys_that_are_listed,
    objects::caps_hold_before_and_while_streaming,
    objects::a_body_that_breaks_off_leaves_nothing,
    objects::the_fifth_put_at_once_is_refused,
    objects::the_lakes_own_files_can_only_be_read,
}
