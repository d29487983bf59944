/* tandem/tandem.h - all of the Tandem plugin ABI. SPDX-License-Identifier: Apache-2.0 */
#ifndef TANDEM_H
#define TANDEM_H

#include "base.h"
#include "call.h"
#include "host.h"
#include "plugin.h"

#include "ext/clock.h"
#include "ext/config.h"
#include "ext/config_check.h"
#include "ext/diagnostics.h"
#include "ext/event.h"
#include "ext/health.h"
#include "ext/http.h"
#include "ext/kv.h"
#include "ext/log.h"
#include "ext/memory.h"
#include "ext/metrics.h"
#include "ext/migrate.h"
#include "ext/rows.h"
#include "ext/secret.h"
#include "ext/timer.h"
#include "ext/tools.h"

#endif /* TANDEM_H */
