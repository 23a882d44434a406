-- Asks Counterfoil's gate whether a request may pass, and replaces what the client said of itself by what the gate says.
-- HAProxy 2.6 or newer, with Lua. Tested with counterfoil-gate.cfg beside it: crates/counterfoil/tests/it/gate/proxies.rs.

local GATE = "http://127.0.0.1:8080/gate"
local IDENTITY = { "x-user-id", "x-session-id", "x-user-roles", "x-auth-location" }

-- What only this proxy may say, and what belongs to one connection.
local HELD_BACK = {
    ["host"] = true, ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true,
    ["x-forwarded-host"] = true, ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true,
    ["x-original-method"] = true, ["x-original-uri"] = true, ["x-forwarded-for"] = true,
}
for _, name in ipairs(IDENTITY) do HELD_BACK[name] = true end

local function all(values)
    local list = {}
    for at = 0, #values do list[#list + 1] = values[at] end
    return list
end

local function refuse(txn, status, headers)
    local reply = txn:reply()
    reply:set_status(status)
    for _, name in ipairs({ "location", "www-authenticate", "x-auth-location", "dpop-nonce" }) do
        if headers[name] then reply:add_header(name, headers[name][0]) end
    end
    txn:done(reply)
end

core.register_action("counterfoil_gate", { "http-req" }, function(txn)
    local request, question = txn.http:req_get_headers(), {}
    for name, values in pairs(request) do
        if not HELD_BACK[name] then question[name] = all(values) end
    end
    local hops = request["x-forwarded-for"] and all(request["x-forwarded-for"]) or {}
    hops[#hops + 1] = txn.f:src()
    question["x-forwarded-for"] = { table.concat(hops, ", ") }
    question["x-forwarded-host"] = { request["host"] and request["host"][0] or "" }
    question["x-original-method"] = { txn.f:method() }
    question["x-original-uri"] = { txn.f:pathq() }
    local accept = request["accept"] and request["accept"][0] or ""
    local page = txn.f:method() == "GET" and accept:find("text/html", 1, true)
    local answer = core.httpclient():get({ url = GATE .. (page and "?redirect=1" or ""), headers = question, timeout = 5000 })
    if not answer or answer.status ~= 200 then
        local known = answer and (answer.status == 303 or answer.status == 401 or answer.status == 403)
        return refuse(txn, known and answer.status or 503, known and answer.headers or {})
    end
    for _, name in ipairs({ "authorization", table.unpack(IDENTITY) }) do
        txn.http:req_del_header(name)
        local value = answer.headers[name] and answer.headers[name][0] or ""
        if value ~= "" then txn.http:req_add_header(name, value) end
    end
    -- Said last: whatever goes wrong before this leaves it unsaid, and the request is denied.
    txn:set_var("txn.counterfoil_passed", true)
end)
