#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# promise-blazar in devstack: the API, a manager, their database, user, catalog entry, the freepool,
# and the scheduler filter in Nova.

_XTRACE_PROMISE_BLAZAR=$(set +o | grep xtrace)
set +o xtrace

function promise_blazar_install {
    setup_develop "$PROMISE_BLAZAR_DIR" cli
    # nova-scheduler is in the same environment here, so it finds nova_filter without the
    # filter's own distribution.
    pip_install_gr python-blazarclient
}

function promise_blazar_configure {
    sudo install -d -o "$STACK_USER" "$PROMISE_BLAZAR_CONF_DIR"
    rm -f "$PROMISE_BLAZAR_CONF"

    iniset "$PROMISE_BLAZAR_CONF" DEFAULT debug "$PROMISE_BLAZAR_DEBUG"
    iniset_rpc_backend promise-blazar "$PROMISE_BLAZAR_CONF"
    iniset "$PROMISE_BLAZAR_CONF" database connection "$(database_connection_url promise_blazar)"

    iniset "$PROMISE_BLAZAR_CONF" api bind_host "$(ipv6_unquote "$SERVICE_LISTEN_ADDRESS")"
    if is_service_enabled tls-proxy; then
        iniset "$PROMISE_BLAZAR_CONF" api bind_port "$PROMISE_BLAZAR_SERVICE_PORT_INT"
        iniset "$PROMISE_BLAZAR_CONF" oslo_middleware enable_proxy_headers_parsing True
    else
        iniset "$PROMISE_BLAZAR_CONF" api bind_port "$PROMISE_BLAZAR_SERVICE_PORT"
    fi
    configure_keystone_authtoken_middleware "$PROMISE_BLAZAR_CONF" "$PROMISE_BLAZAR_USER"
    iniset "$PROMISE_BLAZAR_CONF" keystone_authtoken service_token_roles_required True

    iniset "$PROMISE_BLAZAR_CONF" openstack auth_type password
    iniset "$PROMISE_BLAZAR_CONF" openstack auth_url "$KEYSTONE_SERVICE_URI"
    iniset "$PROMISE_BLAZAR_CONF" openstack username "$PROMISE_BLAZAR_USER"
    iniset "$PROMISE_BLAZAR_CONF" openstack password "$SERVICE_PASSWORD"
    iniset "$PROMISE_BLAZAR_CONF" openstack project_name "$SERVICE_PROJECT_NAME"
    iniset "$PROMISE_BLAZAR_CONF" openstack user_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$PROMISE_BLAZAR_CONF" openstack project_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$PROMISE_BLAZAR_CONF" openstack cafile "$SSL_BUNDLE_FILE"
    iniset "$PROMISE_BLAZAR_CONF" nova region_name "$REGION_NAME"
    iniset "$PROMISE_BLAZAR_CONF" nova aggregate_freepool_name "$PROMISE_BLAZAR_FREEPOOL"
    iniset "$PROMISE_BLAZAR_CONF" placement region_name "$REGION_NAME"

    setup_logging "$PROMISE_BLAZAR_CONF"
}

function promise_blazar_configure_nova {
    # Nova's own filters stay available, and ours comes last.
    iniset_multiline "$NOVA_CONF" filter_scheduler available_filters \
        nova.scheduler.filters.all_filters nova_filter.filters.ReservationFilter
    local filters
    filters=$(iniget "$NOVA_CONF" filter_scheduler enabled_filters)
    filters=${filters:-$NOVA_FILTERS}
    if [[ ",$filters," != *,ReservationFilter,* ]]; then
        filters="$filters,ReservationFilter"
    fi
    iniset "$NOVA_CONF" filter_scheduler enabled_filters "$filters"
    iniset "$NOVA_CONF" promise_blazar freepool "$PROMISE_BLAZAR_FREEPOOL"
}

function promise_blazar_create_accounts {
    create_service_user "$PROMISE_BLAZAR_USER" admin
    get_or_create_service promise-blazar reservation "Leases of capacity"
    local url="$PROMISE_BLAZAR_SERVICE_PROTOCOL://$PROMISE_BLAZAR_SERVICE_HOST:$PROMISE_BLAZAR_SERVICE_PORT/v1"
    get_or_create_endpoint reservation "$REGION_NAME" "$url" "$url" "$url"
}

function promise_blazar_init {
    recreate_database promise_blazar
    "$PROMISE_BLAZAR_BIN_DIR/promise-blazar-manage" --config-file "$PROMISE_BLAZAR_CONF" db sync
}

function promise_blazar_create_freepool {
    openstack --os-cloud devstack-admin aggregate show "$PROMISE_BLAZAR_FREEPOOL" >/dev/null 2>&1 ||
        openstack --os-cloud devstack-admin aggregate create "$PROMISE_BLAZAR_FREEPOOL"
}

function promise_blazar_start {
    local service
    for service in promise-blazar-manager promise-blazar-api; do
        if is_service_enabled "$service"; then
            run_process "$service" "$PROMISE_BLAZAR_BIN_DIR/$service --config-file $PROMISE_BLAZAR_CONF"
        fi
    done
    is_service_enabled promise-blazar-api || return 0
    if is_service_enabled tls-proxy; then
        start_tls_proxy promise-blazar '*' "$PROMISE_BLAZAR_SERVICE_PORT" \
            "$PROMISE_BLAZAR_SERVICE_HOST" "$PROMISE_BLAZAR_SERVICE_PORT_INT"
    fi
    wait_for_service "$SERVICE_TIMEOUT" \
        "$PROMISE_BLAZAR_SERVICE_PROTOCOL://$PROMISE_BLAZAR_SERVICE_HOST:$PROMISE_BLAZAR_SERVICE_PORT/healthcheck" ||
        die $LINENO "promise-blazar did not become healthy"
}

function promise_blazar_stop {
    stop_process promise-blazar-api
    stop_process promise-blazar-manager
}

if is_service_enabled promise-blazar; then
    PROMISE_BLAZAR_BIN_DIR=$(get_python_exec_prefix)

    case "$1 $2" in
        "stack install")
            echo_summary "Installing promise-blazar"
            promise_blazar_install
            ;;
        "stack post-config")
            echo_summary "Configuring promise-blazar"
            promise_blazar_configure
            promise_blazar_configure_nova
            promise_blazar_create_accounts
            promise_blazar_init
            ;;
        "stack extra")
            echo_summary "Starting promise-blazar"
            promise_blazar_create_freepool
            promise_blazar_start
            ;;
        "unstack "*)
            promise_blazar_stop
            ;;
        "clean "*)
            sudo rm -rf "$PROMISE_BLAZAR_CONF_DIR"
            ;;
    esac
fi

$_XTRACE_PROMISE_BLAZAR
