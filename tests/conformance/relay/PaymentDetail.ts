import { graphql } from "relay-runtime";

export const refreshed = graphql`
  fragment PaymentDetail_payment on Payment @refetchable(queryName: "PaymentDetailRefetchQuery") {
    status
    version
    actions
    capturedAmount {
      decimal
      currency
    }
  }
`;

export const query = graphql`
  query PaymentDetailQuery($id: ID!) {
    node(id: $id) {
      ...PaymentDetail_payment @alias(as: "payment")
    }
  }
`;
