# SPDX-License-Identifier: Apache-2.0
"""Real records of every shape, counted by status; they are beside the repository."""

from collections import Counter

import pytest

from flowlag.cli.pieces import tag_rows
from flowlag.enrich import Enricher
from flowlag.files.sources import read_source
from tests.files.made import settings

OK1, OK2 = {"ok": 1}, {"ok": 2}
SAMPLES = {
    "cloudwatch-json/ktranslate-kinesis-event.json": OK1,
    "cloudwatch-json/made-filter-log-events.ndjson": {"ok": 6},
    "cloudwatch-json/made-firehose-concatenated-members.gz": {"ok": 10},
    "cloudwatch-json/made-firehose-concatenated.json": {"ok": 10},
    "cloudwatch-json/made-firehose-gzip-in-gzip.gz": {"ok": 10},
    "cloudwatch-json/made-message-wrapper.ndjson": {"ok": 3},
    "cloudwatch-json/made-subscription-control-message.json": {},
    "cloudwatch-json/otel-subscription.json": OK2,
    "cloudwatch-json/streamalert-subscription-extracted-fields.json": OK2,
    "csv-export/made-mixed-export.csv": {"ok": 9, "nodata": 1, "skipdata": 1},
    "csv-export/made-seed-export.csv": {"ok": 3},
    "custom-layouts/aws-docs-no-version-no-times.log": {"missing": 6},
    "custom-layouts/aws-docs-v3-no-times.log": {"missing": 4},
    "custom-layouts/aws-docs-v3-tcp-flags.log": {"ok": 8},
    "custom-layouts/aws-docs-v5-traffic-path.log": OK2,
    "custom-layouts/flowlogs-reader-v3.log": OK2,
    "custom-layouts/flowlogs-reader-v4.log": OK2,
    "custom-layouts/flowlogs-reader-v5-alphabetical.log": {"ok": 2, "other": 1},
    "custom-layouts/flowlogs-reader-v6-no-times.log": {"missing": 1},
    "custom-layouts/ktranslate-v3.log": OK1,
    "custom-layouts/made-v10-encryption.log": OK2,
    "custom-layouts/made-v11-tags-next-hop.log": OK1,
    "custom-layouts/made-v6-tgw-default-order.log": {"ok": 2, "nodata": 1},
    "custom-layouts/made-v8-reject-reason.log": OK2,
    "custom-layouts/made-v9-regional-nat.log": OK2,
    "custom-layouts/otel-v6-tgw-custom-order.log": OK1,
    "custom-layouts/otel-v7-ecs.log": OK1,
    "json-lines/made-records.ndjson": {"ok": 9, "nodata": 1, "skipdata": 1},
    "ocsf/aws-samples-example0.parquet": OK1,
    "ocsf/aws-samples-example3-nodata.parquet": {"nodata": 1},
    "ocsf/made-v1-example0-and-3.ndjson": {"ok": 1, "nodata": 1},
    "ocsf/made-v2-datetime-profile.ndjson": {"ok": 1, "nodata": 1},
    "parquet/aws-samples-input0.parquet": OK1,
    "parquet/aws-samples-input3-nodata.parquet": {"nodata": 1},
    "parquet/flowlogs-reader-flows.parquet": {"ok": 1, "nodata": 2},
    "parquet/made-aws-types-gzip.parquet": {"ok": 26},
    "seed-records.log": {"ok": 3},
    "v2-s3-header/111111111111_vpcflowlogs_eu-west-2_fl-0dcbf7c4c2483c6b6_20220221T1955Z_7fe2e5f7.log": {"ok": 5},
    "v2-s3-header/111111111111_vpcflowlogs_eu-west-2_fl-0dcbf7c4c2483c6b6_20220221T2025Z_55a7d2af.log": {"ok": 5},
    "v2-s3-header/216782312663_vpcflowlogs_us-east-1_fl-01b07217476488e53_20210902T2145Z_c2ed8707.log.gz": {"ok": 26},
    "v2-s3-header/cribl-two-interfaces.log": {"ok": 26},
    "v2-s3-header/otel-multi.log": OK2,
    "v2-s3-header/sekoia-blank-and-comment-lines.log": {"ok": 4},
    "v2-text/aws-docs-default.log": {"ok": 5, "nodata": 1, "skipdata": 1},
    "v2-text/aws-vpc-flow-log-appender.log": {"ok": 3},
    "v2-text/flowlogs-reader.log": {"ok": 3, "nodata": 1, "skipdata": 1},
    "v2-text/go-vpcflow.log": {"ok": 8, "nodata": 1, "invalid": 4},  # four last twelve years
    "v2-text/ktranslate.log": {"ok": 6},
    "v2-text/opensearch-catalog.log": OK1,
    "v2-text/panther-analysis.log": {"ok": 6},
    "v2-text/security-content.log": OK1,
    "v2-text/vpcflowreporter.log": {"ok": 54, "nodata": 3, "skipdata": 3},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name, shared_data):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    enricher = Enricher(settings())
    events = tag_rows(enricher, read_source(str(shared_data / name), settings(), lambda count: None))
    assert Counter(event["flowlag_status"] for event in events) == SAMPLES[name] == enricher.counts


def test_no_sample_is_left_out(shared_data):
    found = {str(path.relative_to(shared_data)) for path in shared_data.rglob("*") if path.is_file()}
    assert {name for name in found if not name.startswith(("licences/", "reports/")) and name != "README.md"} == set(
        SAMPLES
    )
