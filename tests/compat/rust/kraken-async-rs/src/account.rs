//! What an account has beside its orders: funding, Earn, an export. The client's types check every member.

use crate::{decimal, good};
use kraken_async_rs::clients::core_kraken_client::CoreKrakenClient;
use kraken_async_rs::clients::kraken_client::KrakenClient;
use kraken_async_rs::request_types::*;
use kraken_async_rs::response_types::ExportReportStatusType;
use std::time::Duration;
use tokio::time::sleep;

// Between two calls that cost points of Kraken's counter.
const PAUSE: Duration = Duration::from_secs(6);

/// Reads everything; panics on an answer that the client cannot read.
pub async fn look(rest: &mut CoreKrakenClient) {
    let methods = good(rest.get_deposit_methods(&DepositMethodsRequest::builder("XBT".into()).build()).await);
    let first = methods[0].method.clone();
    assert!(
        !good(
            rest.get_deposit_addresses(&DepositAddressesRequest::builder("XBT".into(), first).build()).await
        )
        .is_empty()
    );
    good(rest.get_status_of_recent_deposits(&StatusOfDepositWithdrawRequest::builder().build()).await);
    sleep(PAUSE).await;
    assert!(
        !good(rest.get_withdrawal_methods(&WithdrawalMethodsRequest::builder().build()).await).is_empty()
    );
    let addresses = good(rest.get_withdrawal_addresses(&WithdrawalAddressesRequest::builder().build()).await);
    let info =
        WithdrawalInfoRequest::builder("XBT".into(), addresses[0].key.clone(), decimal("0.01")).build();
    good(rest.get_withdrawal_info(&info).await);
    good(rest.get_status_of_recent_withdrawals(&StatusOfDepositWithdrawRequest::builder().build()).await);
    sleep(PAUSE).await;
    let strategies = good(
        rest.list_earn_strategies(&ListEarnStrategiesRequest::builder().asset("XBT".into()).build()).await,
    );
    let strategy = strategies.items[0].id.clone();
    let moved = AllocateEarnFundsRequest::builder(decimal("0.1"), strategy.clone()).build();
    assert!(good(rest.allocate_earn_funds(&moved).await));
    let status = EarnAllocationStatusRequest::builder(strategy).build();
    assert!(!good(rest.get_earn_allocation_status(&status).await).pending);
    let allocations = good(rest.list_earn_allocations(&ListEarnAllocationsRequest::builder().build()).await);
    assert_eq!(allocations.items[0].amount_allocated.total.native, decimal("0.1"));
    sleep(PAUSE).await;
    assert!(good(rest.deallocate_earn_funds(&moved).await));
    good(rest.get_earn_deallocation_status(&status).await);
    good(rest.get_open_positions(&OpenPositionsRequest::builder().build()).await);
    let export = ExportReportRequest::builder(ReportType::Trades, "compat".into()).build();
    let id = good(rest.request_export_report(&export).await).id;
    sleep(Duration::from_secs(4)).await;
    let exports = good(
        rest.get_export_report_status(&ExportReportStatusRequest::builder(ReportType::Trades).build()).await,
    );
    assert_eq!(exports[0].status, ExportReportStatusType::Processed);
    let file =
        rest.retrieve_export_report(&RetrieveExportReportRequest::builder(id.clone()).build()).await.unwrap();
    assert!(file.starts_with(b"PK"));
    let delete = DeleteExportRequest::builder(id, DeleteExportType::Delete).build();
    assert_eq!(good(rest.delete_export_report(&delete).await).delete, Some(true));
    println!(
        "account: {} deposit methods, addresses, statuses, withdrawal fees, Earn, positions, an export",
        methods.len()
    );
}
