-- A server inside Neovim: it answers what the plugin asks and remembers what it was told.
-- Every line with the word `charge` has one thread.

local server = { told = {}, answers = {}, listed = {} } ---@type table
_G.server = server

local function commented(uri)
  local lines = vim.api.nvim_buf_get_lines(vim.uri_to_bufnr(uri), 0, -1, false)
  return vim
    .iter(ipairs(lines))
    :filter(function(_, line)
      return line:find('charge')
    end)
    :map(function(n)
      return n - 1
    end)
    :totable()
end

local function range(line)
  return { start = { line = line, character = 0 }, ['end'] = { line = line, character = 1 } }
end

local function publish(dispatchers, uri)
  local diagnostics = vim.tbl_map(function(line)
    return {
      range = range(line),
      severity = 3,
      source = 'bitbucket',
      message = 'Ana: Why twice?\nAll of it.',
      data = { thread = 1 },
    }
  end, commented(uri))
  dispatchers.notification('textDocument/publishDiagnostics', { uri = uri, diagnostics = diagnostics })
end

local commands = vim.split(
  'showPullRequest nextComment copyLink generateToken finishSignIn cancelSignIn addToken switchAccount signOut '
    .. 'reply addComment suggestChange editComment deleteComment resolveThread reopenThread resolveAndNext '
    .. 'applySuggestion applyAllSuggestions addTask completeTask reopenTask editTask deleteTask '
    .. 'sendDraft discardDraft showDrafts',
  ' '
)

local answer = {
  initialize = function()
    return {
      capabilities = {
        textDocumentSync = { openClose = true, change = 1 },
        codeLensProvider = vim.empty_dict(),
        completionProvider = { triggerCharacters = { '@', '#', ':', '`' } },
        hoverProvider = true,
        executeCommandProvider = {
          commands = vim.tbl_map(function(name)
            return 'bitbucket.' .. name
          end, commands),
        },
      },
    }
  end,
  ['textDocument/codeLens'] = function(params)
    local uri = params.textDocument.uri
    if uri:find('/documents/drafts.md', 1, true) then
      return vim.tbl_map(function(row)
        local arguments = { { draft = server.listed[row] } }
        return { range = range(row), command = { title = 'Send', command = 'bitbucket.sendDraft', arguments = arguments } }
      end, vim.tbl_keys(server.listed))
    end
    if uri:find('/drafts/', 1, true) then
      return vim.tbl_map(function(title)
        local arguments = { { draft = vim.fs.basename(uri):gsub('%.md$', '') } }
        local command =
          { title = title, command = ('bitbucket.%sDraft'):format(title:lower()), arguments = arguments }
        return { range = range(0), command = command }
      end, { 'Send', 'Discard' })
    end
    local lines = vim.list_extend({ 0 }, commented(uri))
    return vim.tbl_map(function(line)
      return {
        range = range(line),
        command = {
          title = ('lens %d %s'):format(line, server.lens or ''),
          command = 'bitbucket.copyLink',
          arguments = { { line = line } },
        },
      }
    end, lines)
  end,
  ['textDocument/hover'] = function(params)
    if vim.list_contains(commented(params.textDocument.uri), params.position.line) then
      return { contents = { kind = 'markdown', value = '**Ana**: Why twice?' } }
    end
  end,
  ['textDocument/completion'] = function(params)
    return vim.endswith(params.textDocument.uri, '.md') and { { label = 'Ana', insertText = '@{1}' } } or nil
  end,
  ['workspace/executeCommand'] = function(params)
    return params.command == 'bitbucket.copyLink' and { text = 'https://bitbucket.org/x/y/pull-requests/7' }
      or nil
  end,
}

vim.lsp.config('bitbucket', {
  cmd = function(dispatchers)
    server.dispatchers, server.starts = dispatchers, (server.starts or 0) + 1
    local closing, id = false, 0
    return {
      request = function(method, params, callback)
        table.insert(server.told, { method = method, params = params })
        id = id + 1
        vim.schedule(function()
          callback(nil, answer[method] and answer[method](params))
        end)
        return true, id
      end,
      notify = function(method, params)
        table.insert(server.told, { method = method, params = params })
        if method == 'textDocument/didOpen' or method == 'textDocument/didChange' then
          vim.schedule(function()
            publish(dispatchers, params.textDocument.uri)
          end)
        end
        return true
      end,
      is_closing = function()
        return closing
      end,
      terminate = function()
        closing = true
      end,
    }
  end,
})
