-- Settings as users of Neovim write them, at the start and later.

local t = require('harness')

vim.lsp.config('bitbucket', {
  settings = { bitbucket = { comments = { showResolved = true, severity = 'hint' }, inlayHints = { enabled = true } } },
})

---Changes settings while the server runs, as `:lua` would.
local function change(settings)
  local client = assert(t.client())
  client.settings = { bitbucket = settings }
  client:notify('workspace/didChangeConfiguration', { settings = client.settings })
end

t.run(function()
  local file = t.open('till/cart.py')
  t.equal('showResolved: the resolved thread is shown', { 5, 35 }, function()
    return t.lines(file)
  end)
  t.equal('severity: hints', { vim.diagnostic.severity.HINT, vim.diagnostic.severity.HINT }, function()
    return vim.tbl_map(function(diagnostic)
      return diagnostic.severity
    end, vim.diagnostic.get(file))
  end)
  vim.lsp.inlay_hint.enable(true, { bufnr = file })
  t.has('inlayHints: authors at the ends of lines', 'Ben Okafor', function()
    return vim.inspect(vim.tbl_map(function(hint)
      return hint.inlay_hint.label
    end, vim.lsp.inlay_hint.get({ bufnr = file })))
  end)

  change({ comments = { showResolved = false } })
  t.equal('changed while it runs: resolved ones go', { 35 }, function()
    return t.lines(file)
  end)
  change({ codeLens = { enabled = false } })
  t.equal('codeLens off: none', {}, t.lenses)
  change({ comments = { ignoreAuthors = { 'Ben Okafor' } } })
  local tests = t.open('tests/test_cart.py')
  t.equal('ignoreAuthors: their threads go', {}, function()
    return t.comments(tests)
  end)
  t.equal('but those that somebody else has answered', { 35 }, function()
    return t.lines(file)
  end)
  change({ comments = { enabled = false } })
  t.equal('comments off: none anywhere', 0, function()
    return #vim.diagnostic.get(nil)
  end)
  change({ coments = { enabled = true } })
  t.said('a typing mistake is named', 'coments')
  t.equal('and the rest is as without settings', { 35 }, function()
    return t.lines(file)
  end)
  change({ apiUrl = 'https://bitbucket.example' })
  t.said('where a token goes is not for settings to say', 'apiUrl')
  t.stop()
end)
