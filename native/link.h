/*
 * An interface's facts as a JavaScript object: LinkInfo of src/native.ts.
 */
#ifndef TAPFLOW_LINK_H
#define TAPFLOW_LINK_H

#include <node_api.h>

#include "netlink.h"

napi_value link_info_value(napi_env env, const struct link_info *link);

#endif
