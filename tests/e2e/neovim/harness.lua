-- What the suites share: checks that wait, a hand on the simulated Bitbucket, and words for what a user sees.

-- `patience`: how many milliseconds a check waits.
local M = { passed = 0, failed = 0, messages = {}, patience = 15000 }

local function say(line)
  io.stdout:write(line .. '\n')
end

---Waits until `probe` gives something true; says what was there instead.
---@param name string
---@param probe fun(): any, any what counts, and what is said where it is not true
---@param every? integer milliseconds between two looks
function M.check(name, probe, every)
  local seen, instead
  local ok = vim.wait(M.patience, function()
    seen, instead = probe()
    return seen and true or false
  end, every or 20)
  M.passed, M.failed = M.passed + (ok and 1 or 0), M.failed + (ok and 0 or 1)
  say(ok and 'ok ' .. name or ('FAIL %s: %s'):format(name, vim.inspect(instead)))
end

---Waits until `probe` gives the expected value.
function M.equal(name, expected, probe)
  M.check(name, function()
    local seen = probe()
    return vim.deep_equal(seen, expected), { expected = expected, seen = seen }
  end)
end

local function run(...)
  local done = vim.system({ 'python3', vim.env.E2E_WORLD, ... }, { text = true }):wait(20000)
  assert(done.code == 0, done.stderr)
  return vim.trim(done.stdout)
end

---Changes what Bitbucket has; see tests/simulator/src/control.rs.
function M.bitbucket(route, members)
  return vim.json.decode(run('control', route, vim.json.encode(members or vim.empty_dict())))
end

---What Bitbucket has: its `comments`, `tasks` or `requests`.
function M.tells(route)
  return vim.json.decode(run('tells', route), { luanil = { object = true } })
end

---git in the clone.
function M.git(...)
  return run('git', ...)
end

---A path in the clone.
function M.path(file)
  return vim.env.E2E_CLONE .. '/' .. file
end

---Opens a file, by its path in the clone or an absolute one; its buffer.
function M.open(file)
  vim.cmd.edit(vim.fn.fnameescape(file:sub(1, 1) == '/' and file or M.path(file)))
  return vim.api.nvim_get_current_buf()
end

---@return vim.lsp.Client?
function M.client(bufnr)
  return vim.lsp.get_clients({ name = 'bitbucket', bufnr = bufnr })[1]
end

---The comments in a buffer, as `line: text`, lines counted from 1.
function M.comments(bufnr)
  local found = vim.diagnostic.get(bufnr)
  table.sort(found, function(one, other)
    return one.lnum < other.lnum
  end)
  return vim.tbl_map(function(diagnostic)
    return ('%d: %s'):format(diagnostic.lnum + 1, diagnostic.message)
  end, found)
end

---The lines that have a comment, counted from 1.
function M.lines(bufnr)
  return vim.tbl_map(function(comment)
    return tonumber(comment:match('^%d+'))
  end, M.comments(bufnr))
end

---The server's answer for the current buffer.
function M.ask(method, params)
  local client = assert(M.client(0), 'no server')
  local answer = assert(client:request_sync(method, params, 5000, 0))
  assert(not answer.err, vim.inspect(answer.err))
  return answer.result
end

function M.position(line)
  return { textDocument = { uri = vim.uri_from_bufnr(0) }, position = { line = line - 1, character = 0 } }
end

function M.hover(line)
  local answer = M.ask('textDocument/hover', M.position(line))
  return answer and answer.contents.value or ''
end

---The lenses of the current buffer as `line: title`.
function M.lenses()
  return vim.tbl_map(function(lens)
    return ('%d: %s'):format(lens.range.start.line + 1, lens.command.title)
  end, vim.lsp.codelens.get(0))
end

---Virtual text on a line of the current buffer.
function M.drawn(line)
  local text = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, -1, { line - 1, 0 }, { line - 1, -1 }, { details = true })) do
    for _, chunk in ipairs(mark[4].virt_text or {}) do
      table.insert(text, chunk[1])
    end
  end
  return table.concat(text)
end

---Where the cursor is: `file:line`.
function M.here()
  return ('%s:%d'):format(vim.fn.expand('%:t'), vim.fn.line('.'))
end

---Where the cursor is: the text of its line.
function M.text_here()
  return vim.trim(vim.api.nvim_get_current_line())
end

function M.text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
end

---Waits until `text` has `part`, as it stands there.
function M.has(name, part, text)
  M.check(name, function()
    local seen = text()
    return seen:find(part, 1, true), seen
  end)
end

---Waits until the server has said something.
function M.said(name, part)
  M.has(name, part, function()
    return table.concat(M.messages, '\n')
  end)
end

---Runs a command until the document that it opens has `part`: what it tells of may be under way.
function M.shows(name, verb, part)
  M.check(name, function()
    vim.cmd.Bitbucket(verb)
    vim.wait(300, function()
      return M.text():find(part, 1, true) ~= nil
    end, 20)
    return M.text():find(part, 1, true), M.text()
  end)
end

---Looks whether files have changed on disk, as Neovim does when it gets the focus.
function M.look()
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      vim.cmd.checktime(bufnr)
    end
  end
end

---Moves the cursor, as a user who types `:line`.
function M.go(line)
  vim.api.nvim_win_set_cursor(0, { line, 0 })
end

---The process id of the server.
function M.server_pid()
  return tonumber(vim.fn.readfile(vim.env.E2E_PID_FILE)[1])
end

---Whether the server's process runs.
function M.server_runs()
  return vim.uv.kill(M.server_pid(), 0) == 0
end

---Stops the server as `:qa` does, and sees that its process is gone.
function M.stop()
  local client = assert(M.client(), 'no server')
  M.check('the server runs until it is stopped', M.server_runs)
  client:stop()
  M.check('the server ends when it is told to', function()
    return client:is_stopped()
  end)
  M.check('and leaves no process behind', function()
    return not M.server_runs()
  end)
end

---Runs a suite, then ends Neovim with an exit code that says whether all was well.
---@param suite fun()
function M.run(suite)
  vim.notify = function(message)
    table.insert(M.messages, message)
  end
  local ok, problem = xpcall(suite, debug.traceback)
  if not ok then
    M.failed = M.failed + 1
    say('FAIL ' .. problem)
  end
  say(('%d passed, %d failed'):format(M.passed, M.failed))
  vim.cmd(M.failed == 0 and 'qall!' or 'cquit 1')
end

return M
