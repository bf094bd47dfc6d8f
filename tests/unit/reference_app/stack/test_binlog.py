"""What mariadb-binlog prints, as transactions."""

from __future__ import annotations

from reference_app.stack import binlog

PRINTED = """\
# at 4
#261121  9:12:10 server id 18024  end_log_pos 256 CRC32 0x1 \tStart: binlog v 4
# at 256
#261121  9:12:11 server id 18024  end_log_pos 298 CRC32 0x1 \tGTID 0-18024-16 ddl
/*M!100001 SET @@session.gtid_seq_no=16*//*!*/;
# at 298
#261121  9:12:11 server id 18024  end_log_pos 380 CRC32 0x1 \tQuery\tthread_id=5\texec_time=0\terror_code=0\txid=0
use `failwhale`/*!*/;
SET TIMESTAMP=1795252331/*!*/;
TRUNCATE TABLE likes
/*!*/;
# at 380
#261121  9:12:14 server id 18024  end_log_pos 422 CRC32 0x1 \tGTID 0-18024-17 trans
START TRANSACTION
/*!*/;
# at 500
#261121  9:12:14 server id 18024  end_log_pos 5057 CRC32 0x1 \tAnnotate_rows:
#Q> DELETE
#Q> FROM tweets
#261121  9:12:14 server id 18024  end_log_pos 5124 CRC32 0x1 \tTable_map: `failwhale`.`tweets` mapped to number 26
# at 5124
#261121  9:12:14 server id 18024  end_log_pos 5311 CRC32 0x1 \tDelete_rows: table id 26 flags: STMT_END_F
### DELETE FROM `failwhale`.`tweets`
### WHERE
###   @1=1
###   @4='### INSERT INTO `failwhale`.`tweets`'
### DELETE FROM `failwhale`.`tweets`
### WHERE
###   @1=2
# Number of rows: 2
COMMIT/*!*/;
""".splitlines(keepends=True)


def test_statements_and_rows_are_counted_by_transaction() -> None:
    ddl, bad = binlog.parsed(PRINTED)
    assert (str(ddl.gtid), ddl.before, ddl.text, ddl.touched) == ("0-18024-16", "", "TRUNCATE TABLE likes", 0)
    assert (str(bad.gtid), bad.before, bad.text) == ("0-18024-17", "0-18024-16", "DELETE; FROM tweets")
    assert dict(bad.rows) == {"delete tweets": 2}
    assert bad.at - ddl.at == 3


def test_a_transaction_that_a_crash_cut_off_was_never_committed() -> None:
    cut_off = [*PRINTED[:-1], "DELIMITER ;\n", "# End of log file\n", "ROLLBACK /* added by mysqlbinlog */;\n"]
    (ddl,) = binlog.parsed(cut_off, before="0-18024-15")
    assert (str(ddl.gtid), ddl.before) == ("0-18024-16", "0-18024-15")


def test_a_long_statement_is_cut() -> None:
    transaction = binlog.Transaction(binlog.gtid.parse("0-1-1"), "", 0.0, ["x" * 1000])
    assert len(transaction.text) == binlog.STATEMENT_MAX + 1
