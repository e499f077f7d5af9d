-- Nobody looks an action up by its click, nor by partner and order number together.
ALTER TABLE affiliate_actions DROP KEY IF EXISTS affiliate_actions_click,
  DROP KEY IF EXISTS affiliate_actions_order;
