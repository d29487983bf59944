/*
 * tandem/ext/metrics.h - "tandem.metrics/1": numbers about the plugin's work, for the operator.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest declares `metrics`: their names, kinds, labels and every value that a label may have. They
 * appear among the host's metrics as tandem_plugin_NAMESPACE_NAME, summed over all people: never make a label of
 * anything that a person said or is. At most 32 metrics, 4 labels each, 256 combinations of label values each and 1,024
 * in all.
 *
 * Recording is cheap and never waits: the host may be in another process. A call that the host cannot take (a value
 * that is not declared, found out later) is dropped and counted.
 */
#ifndef TANDEM_EXT_METRICS_H
#define TANDEM_EXT_METRICS_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_METRICS "tandem.metrics/1"

/*
 * `name` is the metric's as declared (`lookups_total`); `labels` is an array of tandem_slice, one value per declared label,
 * in the order of the manifest; empty when there is none. All are borrowed. Every function is legal in and outside of
 * calls, from activate on. TANDEM_OK; TANDEM_E_UNSUPPORTED (no such metric, or one of another kind),
 * TANDEM_E_INVALID_ARGUMENT (other labels or label values than declared; a value that is not finite),
 * TANDEM_E_WRONG_STATE, TANDEM_E_REVOKED. Since 1.0.
 */
typedef struct tandem_metrics {
    tandem_header header;
    /* [any] Adds to a counter (0 or more) or a gauge. */
    tandem_status (*add)(const tandem_host *host, tandem_slice name, tandem_array labels, double amount);
    /* [any] Sets a gauge. The last one to set it wins, whichever person's instance it was. */
    tandem_status (*set)(const tandem_host *host, tandem_slice name, tandem_array labels, double value);
    /* [any] Counts an observation in a histogram, in the unit of its declared bounds. */
    tandem_status (*observe)(const tandem_host *host, tandem_slice name, tandem_array labels, double value);
} tandem_metrics;

TANDEM_STATIC_ASSERT(sizeof(tandem_metrics) == 32, "tandem_metrics");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_METRICS_H */
