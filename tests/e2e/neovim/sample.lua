-- Every comment of the sample, where its code is: by file, as `harness.comments` gives them.

local order = '35: Ben Okafor: Does the order matter? With 10 % and a voucher of 5.00 I get two different totals, '
  .. 'depending on which comes first. (+2 replies)'
return {
  ['till/cart.py'] = { order },
  ['till/discounts.py'] = {
    '1: Ben Okafor: Would vouchers.py be the better name for this file? That is what the cashiers call them. · file comment',
    '13: Cleo Lindqvist: Nothing keeps this from being 250, or -10. (+1 reply)',
    '15: Ben Okafor: This rounds down, so 10 % of 0.99 takes off 0.09 and not 0.10. Round to the nearest cent? — '
      .. 'suggestion: def off(self, total: Money) -> Money: return Money((tot…',
    '24: Cleo Lindqvist: A voucher that is worth more than the basket makes the total negative. '
      .. 'Do we pay the customer then? (+1 reply) · changed since · outdated',
  },
  ['till/receipt.py'] = {
    "18: Cleo Lindqvist: The accountants' script looks for the word TOTAL. Can it stay? · line 15 of the old file · changed since",
  },
  ['tests/test_cart.py'] = {
    '16: Ben Okafor: Good. One more with a voucher that is larger than the total, please. · 1 open task',
  },
  ['till/money.py'] = {},
}
