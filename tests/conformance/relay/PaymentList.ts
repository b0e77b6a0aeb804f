import { graphql } from "relay-runtime";

export const payment = graphql`
  fragment PaymentList_payment on Payment {
    id
    status
    amount {
      minor
      currency
    }
    paymentMethod {
      brand
      last4
    }
  }
`;

export const account = graphql`
  fragment PaymentList_account on BillingAccount
  @refetchable(queryName: "PaymentListPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    payments(first: $count, after: $cursor) @connection(key: "PaymentList_payments") {
      totalCount
      edges {
        node {
          ...PaymentList_payment
        }
      }
    }
  }
`;

export const query = graphql`
  query PaymentListQuery {
    viewer {
      ...PaymentList_account
    }
  }
`;
