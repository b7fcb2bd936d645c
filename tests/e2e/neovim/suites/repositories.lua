-- Repositories of all kinds beside the one that was opened: work trees, submodules, files outside, odd files.

local t = require('harness')

t.run(function()
  local bare = vim.env.E2E_HOME .. '/outside.txt'
  vim.fn.writefile({ 'not in a repository' }, bare)
  local outside = t.open(bare)
  local file = t.open('till/cart.py')
  t.equal('the repository', { 35 }, function()
    return t.lines(file)
  end)
  t.check('a file outside of any is left alone', function()
    return t.client(outside) == nil
  end)

  local tree = vim.env.E2E_HOME .. '/side tree'
  t.git('worktree', 'add', '-q', '--track', '-b', 'my-review', tree, 'origin/discounts')
  local beside = t.open(tree .. '/till/cart.py')
  t.equal('a work tree, its branch named otherwise than on Bitbucket', { 35 }, function()
    return t.lines(beside)
  end)
  vim.api.nvim_buf_set_lines(beside, 0, 0, false, { '# only here' })
  t.equal('edits there move only its comments', { { 36 }, { 35 } }, function()
    return { t.lines(beside), t.lines(file) }
  end)

  local url = t.git('remote', 'get-url', 'origin')
  t.git('submodule', '--quiet', 'add', '-b', 'discounts', url, 'vendor/till')
  local inner = t.open('vendor/till/till/receipt.py')
  t.equal('a submodule is a repository of its own', { 18 }, function()
    return t.lines(inner)
  end)
  t.equal('all by one server', 1, function()
    return #vim.lsp.get_clients({ name = 'bitbucket' })
  end)
  vim.cmd.Bitbucket('status')
  for _, path in ipairs({ vim.env.E2E_CLONE, tree, t.path('vendor/till') }) do
    t.has('the status names ' .. vim.fs.basename(path), '## ' .. path, t.text)
  end
  vim.cmd.bdelete()

  local none = vim.env.E2E_HOME .. '/elsewhere'
  vim.fn.system({ 'git', 'init', '-q', none })
  vim.fn.system({ 'git', '-C', none, 'remote', 'add', 'origin', 'https://someone:secret@example.com/a/b.git' })
  vim.fn.writefile({ 'x' }, none .. '/LICENSE')
  local foreign = t.open(none .. '/LICENSE')
  t.check('a file without a type is attached', function()
    return t.client(foreign)
  end)
  t.shows('it is looked at', 'status', '## ' .. none)
  vim.cmd.buffer(foreign)
  vim.cmd.Bitbucket('show')
  t.said('a repository that is not on Bitbucket says so', 'No remote of this repository is on Bitbucket')
  vim.cmd.Bitbucket('status')
  t.has('the status names the remote', 'https://example.com/a/b.git', t.text)
  t.check('without its password', function()
    return not t.text():find('secret', 1, true)
  end)
  t.stop()
end)
