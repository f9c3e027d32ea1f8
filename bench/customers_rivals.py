"""The figures of ``customers.sql`` by other libraries, from the same Parquet files.

``python customers_rivals.py NAME JSON`` prints JSON. Nothing of cx360 is imported here: Polars lives in an environment
of its own. What is measured begins with reading the files and ends with one written Parquet file; starting Python,
imports and Spark's session come before the clock.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Result = dict[str, float]


def polars(files: str, out: str) -> Result:
    """Lazy scans, one plan."""
    import polars as pl

    started = time.perf_counter(), time.process_time()

    def scan(name: str) -> pl.LazyFrame:
        return pl.scan_parquet(f"{files}/{name}.parquet")

    def share(condition: pl.Expr) -> pl.Expr:
        return condition.fill_null(False).sum()

    amount, chan = pl.col("amount"), pl.col("chan")
    owners = scan("account_parties").group_by("account").agg(pl.col("customer").sort_by("relation").first())
    money = (
        scan("transactions")
        .sort("rev_no", descending=True)
        .unique("txn_ref", keep="first", maintain_order=True)
        .filter(pl.col("state") == "B")
        .join(owners, on="account")
        .group_by("customer")
        .agg(
            pl.len().alias("transaction_count"),
            pl.col("account").n_unique().alias("account_count"),
            amount.filter(pl.col("dc") == "C").sum().alias("credit_amount"),
            amount.filter(pl.col("dc") == "D").sum().alias("debit_amount"),
            amount.max().alias("largest_amount"),
            amount.median().alias("median_amount"),
            pl.col("book_date").min().alias("first_booking"),
            pl.col("book_date").max().alias("last_booking"),
            pl.col("book_date").n_unique().alias("booking_days"),
            share(chan == "BR").alias("branch_count"),
            share(chan == "ATM").alias("atm_count"),
            share(chan.is_in(["WEB", "APP"])).alias("online_count"),
            share(pl.col("purpose_code") == "SAL").alias("salary_count"),
            amount.filter(pl.col("purpose_code") == "FEE").sum().alias("fee_amount"),
            pl.col("counterparty").drop_nulls().mode().first().alias("usual_counterparty"),
            pl.col("balance").sort_by("entry_ts").last().alias("last_balance"),
        )
    )
    logins = (
        scan("app_events")
        .filter(pl.col("customer").is_not_null())
        .group_by("customer")
        .agg(
            pl.len().alias("event_count"),
            pl.col("session").n_unique().alias("session_count"),
            pl.col("ts").dt.date().n_unique().alias("active_days"),
            pl.col("ts").max().alias("last_seen"),
            share(pl.col("is_error")).alias("error_count"),
            pl.col("feature").drop_nulls().mode().first().alias("favourite_feature"),
        )
    )
    calls = (
        scan("call_logs")
        .group_by("customer")
        .agg(
            pl.len().alias("call_count"),
            pl.col("handling_seconds").mean(),
            pl.col("began").max().alias("last_call"),
            share(pl.col("complaint") != "").alias("complaint_calls"),
        )
    )
    answer = pl.col("value")
    surveys = (
        scan("survey_responses")
        .group_by("customer")
        .agg(
            pl.len().alias("response_count"),
            answer.filter(pl.col("metric") == "NPS").mean().alias("nps_answer"),
            answer.filter(pl.col("metric") == "CSAT").mean().alias("csat_answer"),
            pl.col("submitted").max().alias("last_response"),
        )
    )
    complaints = (
        scan("complaints")
        .group_by("customer")
        .agg(pl.len().alias("complaint_count"), share(pl.col("state") == "OFFEN").alias("open_count"))
    )
    people = owners.select("customer").unique()
    for figures in (money, logins, calls, surveys, complaints):
        people = people.join(figures, on="customer", how="left")
    found = people.collect(engine="streaming")
    found.write_parquet(out)
    return _result(started, found.height)


def pandas(files: str, out: str) -> Result:
    """Whole frames, columns read as needed."""
    import pandas as pd

    started = time.perf_counter(), time.process_time()

    def read(name: str) -> Any:
        return pd.read_parquet(f"{files}/{name}.parquet", dtype_backend="pyarrow")

    def most(values: Any) -> Any:
        counts = values.value_counts()
        return counts.index[0] if len(counts) else None

    owners = read("account_parties").sort_values("relation").drop_duplicates("account")[["account", "customer"]]
    rows = read("transactions").sort_values("rev_no", ascending=False).drop_duplicates("txn_ref")
    rows = rows[rows.state == "B"].merge(owners, on="account")
    rows["amount"], rows["balance"] = rows.amount.astype("float64"), rows.balance.astype("float64")
    rows["credit"], rows["debit"] = rows.amount.where(rows.dc == "C"), rows.amount.where(rows.dc == "D")
    rows["fee"] = rows.amount.where(rows.purpose_code == "FEE")
    for name, codes in (("branch", ["BR"]), ("atm", ["ATM"]), ("online", ["WEB", "APP"])):
        rows[name] = rows.chan.isin(codes)
    rows["salary"] = rows.purpose_code == "SAL"
    usual = rows.groupby(["customer", "counterparty"]).size().reset_index(name="n")
    usual = usual.sort_values("n", ascending=False).drop_duplicates("customer").set_index("customer")
    by_customer = rows.groupby("customer")
    money = by_customer.agg(
        transaction_count=("txn_ref", "size"),
        account_count=("account", "nunique"),
        credit_amount=("credit", "sum"),
        debit_amount=("debit", "sum"),
        largest_amount=("amount", "max"),
        median_amount=("amount", "median"),
        first_booking=("book_date", "min"),
        last_booking=("book_date", "max"),
        booking_days=("book_date", "nunique"),
        branch_count=("branch", "sum"),
        atm_count=("atm", "sum"),
        online_count=("online", "sum"),
        salary_count=("salary", "sum"),
        fee_amount=("fee", "sum"),
    )
    money["usual_counterparty"] = usual.counterparty
    money["last_balance"] = (
        rows.sort_values("entry_ts").drop_duplicates("customer", keep="last").set_index("customer").balance
    )
    events = read("app_events")
    events = events[events.customer.notna()]
    events["day"] = events.ts.dt.date
    favourite = events.groupby(["customer", "feature"]).size().reset_index(name="n")
    favourite = favourite.sort_values("n", ascending=False).drop_duplicates("customer").set_index("customer")
    logins = events.groupby("customer").agg(
        event_count=("session", "size"),
        session_count=("session", "nunique"),
        active_days=("day", "nunique"),
        last_seen=("ts", "max"),
        error_count=("is_error", "sum"),
    )
    logins["favourite_feature"] = favourite.feature
    rung = read("call_logs")
    rung["with_complaint"] = rung.complaint.fillna("") != ""
    calls = rung.groupby("customer").agg(
        call_count=("began", "size"),
        handling_seconds=("handling_seconds", "mean"),
        last_call=("began", "max"),
        complaint_calls=("with_complaint", "sum"),
    )
    answers = read("survey_responses")
    answers["nps"], answers["csat"] = (answers.value.where(answers.metric == name) for name in ("NPS", "CSAT"))
    surveys = answers.groupby("customer").agg(
        response_count=("metric", "size"),
        nps_answer=("nps", "mean"),
        csat_answer=("csat", "mean"),
        last_response=("submitted", "max"),
    )
    cases = read("complaints")
    cases["is_open"] = cases.state == "OFFEN"
    complaints = cases.groupby("customer").agg(complaint_count=("state", "size"), open_count=("is_open", "sum"))
    found = owners[["customer"]].drop_duplicates().set_index("customer")
    for figures in (money, logins, calls, surveys, complaints):
        found = found.join(figures)
    found.to_parquet(out)
    return _result(started, len(found))


def pyspark(files: str, out: str) -> Result:
    """DataFrames on a local session of two threads; the work is done in Java's process."""
    import psutil
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F

    session = SparkSession.builder.master("local[2]").config("spark.driver.memory", "6g")
    spark = session.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "8").getOrCreate()

    def java() -> float:
        """Processor seconds of Java so far."""
        times = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
        return sum(time.user + time.system for time in times)

    started, before = (time.perf_counter(), time.process_time()), java()

    def read(name: str) -> Any:
        return spark.read.parquet(f"{files}/{name}.parquet")

    def count_if(condition: Any) -> Any:
        return F.sum(F.when(condition, 1).otherwise(0))

    owners = read("account_parties").groupBy("account").agg(F.min_by("customer", "relation").alias("customer"))
    latest = Window.partitionBy("txn_ref").orderBy(F.desc("rev_no"))
    money = (
        read("transactions")
        .withColumn("rank", F.row_number().over(latest))
        .where("rank = 1 and state = 'B'")
        .join(owners, "account")
        .groupBy("customer")
        .agg(
            F.count("*").alias("transaction_count"),
            F.countDistinct("account").alias("account_count"),
            F.sum(F.when(F.col("dc") == "C", F.col("amount"))).alias("credit_amount"),
            F.sum(F.when(F.col("dc") == "D", F.col("amount"))).alias("debit_amount"),
            F.max("amount").alias("largest_amount"),
            F.median("amount").alias("median_amount"),
            F.min("book_date").alias("first_booking"),
            F.max("book_date").alias("last_booking"),
            F.countDistinct("book_date").alias("booking_days"),
            count_if(F.col("chan") == "BR").alias("branch_count"),
            count_if(F.col("chan") == "ATM").alias("atm_count"),
            count_if(F.col("chan").isin("WEB", "APP")).alias("online_count"),
            count_if(F.col("purpose_code") == "SAL").alias("salary_count"),
            F.sum(F.when(F.col("purpose_code") == "FEE", F.col("amount"))).alias("fee_amount"),
            F.mode("counterparty").alias("usual_counterparty"),
            F.max_by("balance", "entry_ts").alias("last_balance"),
        )
    )
    logins = (
        read("app_events")
        .where("customer is not null")
        .groupBy("customer")
        .agg(
            F.count("*").alias("event_count"),
            F.countDistinct("session").alias("session_count"),
            F.countDistinct(F.to_date("ts")).alias("active_days"),
            F.max("ts").alias("last_seen"),
            count_if(F.col("is_error")).alias("error_count"),
            F.mode("feature").alias("favourite_feature"),
        )
    )
    calls = (
        read("call_logs")
        .groupBy("customer")
        .agg(
            F.count("*").alias("call_count"),
            F.avg("handling_seconds").alias("handling_seconds"),
            F.max("began").alias("last_call"),
            count_if(F.col("complaint") != "").alias("complaint_calls"),
        )
    )
    surveys = (
        read("survey_responses")
        .groupBy("customer")
        .agg(
            F.count("*").alias("response_count"),
            F.avg(F.when(F.col("metric") == "NPS", F.col("value"))).alias("nps_answer"),
            F.avg(F.when(F.col("metric") == "CSAT", F.col("value"))).alias("csat_answer"),
            F.max("submitted").alias("last_response"),
        )
    )
    complaints = (
        read("complaints")
        .groupBy("customer")
        .agg(F.count("*").alias("complaint_count"), count_if(F.col("state") == "OFFEN").alias("open_count"))
    )
    people = owners.select("customer").distinct()
    for figures in (money, logins, calls, surveys, complaints):
        people = people.join(figures, "customer", "left")
    people.write.mode("overwrite").parquet(out)
    done = _result(started, spark.read.parquet(out).count())
    return done | {"cpu_seconds": java() - before}


def _result(started: tuple[float, float], rows: int) -> Result:
    return {"seconds": time.perf_counter() - started[0], "cpu_seconds": time.process_time() - started[1], "rows": rows}


RIVALS: dict[str, Callable[[str, str], Result]] = {f.__name__: f for f in (polars, pandas, pyspark)}

if __name__ == "__main__":
    told = json.loads(sys.argv[2])
    print(json.dumps(RIVALS[sys.argv[1]](told["parquet"], told["folder"] + ".parquet")))
